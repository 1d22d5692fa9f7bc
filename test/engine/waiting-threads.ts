import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { workload } from '../support/cli.js';

/** The workload `threads`: a process of many threads that wait, and fork when they are told. */
export class WaitingThreads {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(args: readonly string[]) {
    this.#process = spawn(workload('threads'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** `leave`: the first thread ends, and the others go on. */
  static async start(threads: number, mib = 0, leave = false): Promise<WaitingThreads> {
    const args = [String(threads), String(mib), ...(leave ? ['leave'] : [])];
    const started = new WaitingThreads(args);
    await started.#line();
    return started;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** The signal that ended it, as far as Node knows yet. */
  get signal(): NodeJS.Signals | null {
    return this.#process.signalCode;
  }

  /** The pid of the child that one of the threads forked. */
  async fork(): Promise<number> {
    this.#process.stdin.write('fork\n');
    return Number(await this.#line());
  }

  /** It has ended, and so have those that it forked. */
  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the workload ended without an answer');
    return value;
  }
}
