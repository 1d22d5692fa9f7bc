import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('process-child.mjs', import.meta.url));

/** A process of its own that is told what to do and waits in between; see `process-child.mjs`. */
export class Child {
  readonly pid: number;
  readonly ended: Promise<void>;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: ChildProcessByStdio<Writable, Readable, null>) {
    this.#process = process;
    this.#lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => process.once('exit', () => resolve()));
    this.pid = process.pid!;
  }

  /** `process-child.mjs`, ready for commands. */
  static async node(): Promise<Child> {
    const child = new Child(
      spawn(process.execPath, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    await child.ask('ticks');
    return child;
  }

  /** A shell script that says a line when it is ready, and lives until its stdin ends. */
  static async shell(script: string): Promise<{ child: Child; line: string }> {
    const child = new Child(spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] }));
    return { child, line: await child.#line() };
  }

  async ask(command: string): Promise<string> {
    this.#process.stdin.write(`${command}\n`);
    return this.#line();
  }

  async end(): Promise<void> {
    this.#process.stdin.end();
    await this.ended;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the child ended without an answer');
    return value;
  }
}

/** Field `n` of proc(5) for `/proc/<pid>/stat`. */
export function statField(pid: number, n: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[n - 3]!;
}

/** Waits for the kernel to say so; the promise of the test is what comes after. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
