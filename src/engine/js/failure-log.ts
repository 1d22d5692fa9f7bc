/**
 * Reports each failure of a session once, and again only after a sample without it. The twin of
 * `native/core/failure_log.cc`; `test/tables/failure-log.txt` holds the rules.
 */
import { MAX_WARNINGS } from '../../schema/bounds.js';
import type { PartIndexValue } from '../../schema/enumerations.js';
import type { ReadFailure, SampleWarning } from '../engine.js';

export class FailureLog {
  #before: SampleWarning[] = [];
  #now: SampleWarning[] = [];
  #pending: SampleWarning[] = [];

  /** Begins a sample. Its failures are new unless the sample before had them. */
  begin(): void {
    this.#before = this.#now;
    this.#now = [];
  }

  add(part: PartIndexValue, failure: ReadFailure): void {
    if (this.#now.length === MAX_WARNINGS) return;
    const warning = { part, failure };
    this.#now.push(warning);
    const known = (other: SampleWarning): boolean => sameWarning(warning, other);
    if (this.#before.some(known) || this.#pending.some(known)) return;
    if (this.#pending.length < MAX_WARNINGS) this.#pending.push(warning);
  }

  get pending(): boolean {
    return this.#pending.length > 0;
  }

  /** Returns the new failures, which are then no longer pending. */
  take(): SampleWarning[] {
    const taken = this.#pending;
    this.#pending = [];
    return taken;
  }
}

/** Whether both have the same part, code, errno, reason and file. */
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
