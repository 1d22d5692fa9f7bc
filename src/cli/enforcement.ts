/** Follows a run whose limit is reached, and kills a frozen command on request. */
import type { ExhaustedEvent, TelemetryHandle } from '../collector/index.js';
import { readCgroupEvents, readWords } from '../kernel/cgroup-files.js';
import type { Scope } from '../scope/index.js';
import { type Done, type Exhausted, exhaustedOf, useText } from './exhausted.js';
import { complain } from './output.js';

/** The signals that ask the run to end. */
export const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

export class Enforcement {
  readonly #id: string;
  readonly #scope: Scope | null;
  readonly #startedNs: bigint;
  #event: ExhaustedEvent | null = null;
  #actionFailed = false;
  /** Set at the end of the session. */
  #done: Done | undefined;
  #endedNs: bigint | null = null;

  /** `startedNs`: CLOCK_MONOTONIC at the start of the run. */
  constructor(id: string, scope: Scope | null, startedNs: bigint) {
    this.#id = id;
    this.#scope = scope;
    this.#startedNs = startedNs;
  }

  watch(handle: TelemetryHandle): void {
    handle.on('exhausted', (event) => {
      this.#event = event;
    });
    handle.on('warning', ({ code }) => {
      if (code === 'ERR_ACTION_FAILED') this.#actionFailed = true;
    });
    // This event follows the action, or the one taken instead.
    handle.on('stopped', ({ reason, frame }) => {
      if (this.#event === null) return;
      this.#done = reason === 'exhausted' ? this.#whatWasDone(this.#event) : null;
      if (this.#done === 'stop' || this.#done === 'freeze') {
        this.#endedNs = BigInt(frame.tsMono) - this.#startedNs;
      }
      if (this.#done === 'freeze') this.#tellFrozen(this.#event);
    });
  }

  /** The limit that was reached, null if none was. Complete once the session has ended. */
  get exhausted(): Exhausted | null {
    if (this.#event === null) return null;
    return exhaustedOf(this.#event, this.#done ?? null, this.#startedNs);
  }

  /** How long the run was measured, if it went on afterwards or may have; else null. */
  get measuredNs(): bigint | null {
    return this.#endedNs;
  }

  /**
   * Handles a signal that is meant to end a frozen command, which cannot react itself: kills the whole scope. Returns
   * false if the signal belongs to the command.
   */
  takes(signal: NodeJS.Signals): boolean {
    const scope = this.#scope;
    if (scope === null || this.#event === null || this.#event.action === 'stop') return false;
    if (!ENDING.includes(signal)) return false;
    // Another process may have thawed it.
    if (this.#done !== undefined && !isToBeFrozen(scope.cgroupPath)) return false;
    scope.kill().catch((cause: Error) => complain(cause.message));
    return true;
  }

  #whatWasDone({ action }: ExhaustedEvent): Done {
    if (action === 'kill' && !this.#actionFailed) return 'kill';
    // It may have been frozen because the kill failed.
    const path = this.#scope?.cgroupPath;
    return path !== undefined && readCgroupEvents(path)?.frozen === true ? 'freeze' : 'stop';
  }

  #tellFrozen(event: ExhaustedEvent): void {
    const why = useText(exhaustedOf(event, 'freeze', this.#startedNs));
    complain(
      `${this.#id} is frozen (${why}); to let it go on: echo 0 > ${this.#scope?.cgroupPath}/cgroup.freeze; Ctrl-C, or SIGTERM to ${process.pid}, kills it`,
    );
  }
}

function isToBeFrozen(cgroupPath: string): boolean {
  return readWords(`${cgroupPath}/cgroup.freeze`)?.[0] === '1';
}
