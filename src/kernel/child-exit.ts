/**
 * How a child process ended. Node has no names for real-time signals and reports a death by one as exit code 0, so
 * this asks the kernel before Node reaps the child.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { NativeChildExit } from '../addon/binding.js';
import { loadAddon } from '../addon/load.js';

/** Both are null if the outcome is unknown. */
export interface Exit {
  /** null if a signal ended it. */
  readonly code: number | null;
  /** As Node names it; a real-time signal by its distance from the first and its number: `SIGRTMIN+1 (35)`. */
  readonly signal: string | null;
}

export interface ChildExit extends Exit {
  /** Lower bound of the highest rss of the child or of any descendant reaped below it; null if unknown. */
  readonly peakBytes: bigint | null;
  /**
   * Bytes that the child and the descendants reaped below it dirtied for writing to storage, whether written by then or
   * not; null if unknown.
   */
  readonly dirtiedBytes: bigint | null;
}

/** The part of a `ChildProcess` that reports how it ends. */
export interface Exiting {
  readonly pid?: number | undefined;
  readonly exitCode: ChildProcess['exitCode'];
  readonly signalCode: string | null;
  once(event: 'exit', listener: (code: number | null, signal: string | null) => void): unknown;
}

/** The C library reserves the first two real-time signals; the kernel's last one is 64. */
const SIGRTMIN = 34;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name]),
);

export function signalName(number: number): string {
  const name = NAMES.get(number);
  if (name !== undefined) return name;
  if (number < SIGRTMIN) return `signal ${number}`;
  const distance = number - SIGRTMIN;
  return `SIGRTMIN${distance === 0 ? '' : `+${distance}`} (${number})`;
}

/** The number of a signal named by Node or `signalName`; null for any other name. */
export function signalNumber(name: string): number | null {
  const named = (constants.signals as { readonly [name: string]: number })[name];
  const [digits] = /\d+(?=\)?$)/.exec(name) ?? [];
  return named ?? (digits === undefined ? null : Number(digits));
}

/** Resolves with the child's `exit`. Must be called before the first turn of the event loop after the spawn. */
export function exitOf(child: Exiting): Promise<ChildExit> {
  const ask = askerOf(child.pid);
  const { exitCode, signalCode } = child;
  if (exitCode !== null || signalCode !== null) {
    return Promise.resolve(told(exitCode, signalCode, ask()));
  }
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(told(code, signal, ask())));
  });
}

/** `'not watched'`: only Node knows how the child ended. */
type Asked = NativeChildExit | null | 'not watched';

function askerOf(pid: number | undefined): () => Asked {
  const { addon } = loadAddon();
  const watch = addon === null || pid === undefined ? null : new addon.ChildWatch(pid);
  return watch?.isWatching() ? () => watch.takeExit() : () => 'not watched';
}

function told(code: number | null, signal: string | null, asked: Asked): ChildExit {
  if (asked === null || asked === 'not watched') {
    // Node's 0 may be a real-time signal.
    const isUnknown = asked === null && code === 0;
    return { code: isUnknown ? null : code, signal, peakBytes: null, dirtiedBytes: null };
  }
  const { peakBytes, dirtiedBytes } = asked;
  if (asked.signal === 0) return { code: asked.code, signal: null, peakBytes, dirtiedBytes };
  return { code: null, signal: signalName(asked.signal), peakBytes, dirtiedBytes };
}
