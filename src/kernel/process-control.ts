/** The addon's process control, with its types; the only access to it. */

import type { NativeProcessControl } from '../addon/binding.js';
import { loadAddon } from '../addon/load.js';
import { errnoName } from '../error/errno-name.js';

/** `si_code` of a signal that the kernel sent: a key in the terminal, a hangup. */
export const SI_KERNEL = 0x80;

export interface SignalRecord {
  readonly signo: number;
  readonly code: number;
  readonly senderPid: number;
}

const SIGNAL_RECORD_BYTES = 12;

/** The whole records of a chunk that was read from the descriptor of `watchSignals`. */
export function decodeSignals(chunk: Buffer): SignalRecord[] {
  const records: SignalRecord[] = [];
  for (let at = 0; at + SIGNAL_RECORD_BYTES <= chunk.length; at += SIGNAL_RECORD_BYTES) {
    records.push({
      signo: chunk.readInt32LE(at),
      code: chunk.readInt32LE(at + 4),
      senderPid: chunk.readInt32LE(at + 8),
    });
  }
  return records;
}

export class ProcessControl {
  readonly #native: NativeProcessControl;

  constructor(native: NativeProcessControl) {
    this.#native = native;
  }

  /** Makes orphans among our descendants our children. Returns null, or the errno. */
  setSubreaper(): string | null {
    const errno = this.#native.setSubreaper();
    return errno === null ? null : errnoName(errno);
  }

  /** Reaps every zombie child except `exceptPid`, which Node reaps itself. Returns how many. */
  reapAdopted(exceptPid: number): number {
    return this.#native.reapAdopted(exceptPid);
  }

  /** Whether this process has any child, zombies included. */
  hasChildren(): boolean {
    return this.#native.hasChildren();
  }

  /** Redirects these signals to records in a pipe. Returns its reading end, or the errno. Once per process. */
  watchSignals(signals: readonly number[]): { readonly fd: number } | { readonly errno: string } {
    const { fd, errno } = this.#native.watchSignals(signals);
    return errno === null ? { fd } : { errno: errnoName(errno) };
  }
}

export type ProcessControlLoad =
  | { readonly control: ProcessControl; readonly reason: null }
  | { readonly control: null; readonly reason: string };

/** The addon's process control, or why there is none. */
export function processControl(): ProcessControlLoad {
  const { addon, reason } = loadAddon();
  if (addon === null) return { control: null, reason };
  return { control: new ProcessControl(addon.processControl), reason: null };
}
