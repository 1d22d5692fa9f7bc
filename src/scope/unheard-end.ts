/**
 * A command may have ended before its start could be told. Node says `exit` once and then throws away what nobody has
 * begun to read, so both wait here until the caller has the child.
 */
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';

export class UnheardEnd {
  readonly #child: ChildProcess;
  readonly #unread: readonly Readable[];
  readonly #toFlush = new Set<Readable>();
  readonly #unheard: [string | symbol, ...unknown[]][] = [];

  /** From here on nothing of the end is told. */
  constructor(child: ChildProcess) {
    this.#child = child;
    this.#unread = child.stdio.filter((stream) => stream instanceof Readable).filter(isUntouched);
    // Own properties, in front of the class's: what Node calls when the process has ended.
    child.emit = (event: string | symbol, ...args: unknown[]) => {
      if (event !== 'exit' && event !== 'close') return tell(child, event, args);
      this.#unheard.push([event, ...args]);
      return true;
    };
    for (const stream of this.#unread) {
      stream.resume = () => {
        this.#toFlush.add(stream);
        return stream;
      };
    }
  }

  /** Whoever gets the child in this turn hears and reads everything; after it Node's own way goes on. */
  handOver(): void {
    for (const stream of this.#unread) Reflect.deleteProperty(stream, 'resume');
    setImmediate(() => {
      Reflect.deleteProperty(this.#child, 'emit');
      for (const [event, ...args] of this.#unheard) tell(this.#child, event, args);
      for (const stream of this.#toFlush) stream.resume();
    });
  }
}

function isUntouched(stream: Readable): boolean {
  return stream.listenerCount('data') + stream.listenerCount('readable') === 0;
}

function tell(child: ChildProcess, event: string | symbol, args: readonly unknown[]): boolean {
  return EventEmitter.prototype.emit.call(child, event, ...args);
}
