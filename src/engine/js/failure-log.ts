/**
 * Which failures of a session are new: each is told once, until what it is about was read again. The twin of
 * `native/core/failure_log.cc`.
 */
import type { PartIndexValue } from '../../schema/enumerations.js';
import type { SampleWarning } from '../engine.js';
import type { ReadFailure } from '../failure.js';

/** Three parts and six further files of the cgroup, four parts of the process, and that `/proc` is not ours. */
export const MOST_WARNINGS = 14;

export class FailureLog {
  #before: SampleWarning[] = [];
  #now: SampleWarning[] = [];
  #pending: SampleWarning[] = [];

  /** A sample begins: what was added to the last one is what was told. */
  begin(): void {
    this.#before = this.#now;
    this.#now = [];
  }

  add(part: PartIndexValue, failure: ReadFailure): void {
    const warning = { part, failure };
    this.#now.push(warning);
    const known = (other: SampleWarning): boolean => sameWarning(warning, other);
    if (!this.#before.some(known) && !this.#pending.some(known)) this.#pending.push(warning);
  }

  get pending(): boolean {
    return this.#pending.length > 0;
  }

  take(): SampleWarning[] {
    const taken = this.#pending;
    this.#pending = [];
    return taken;
  }
}

/** They are about the same, but for the moment. */
export function sameWarning(one: SampleWarning, other: SampleWarning): boolean {
  const [a, b] = [one.failure, other.failure];
  return (
    one.part === other.part &&
    a.code === b.code &&
    a.errno === b.errno &&
    a.reason === b.reason &&
    a.file === b.file
  );
}
