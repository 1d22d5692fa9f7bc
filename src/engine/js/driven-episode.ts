/**
 * An episode as its state machine drives it: what `SampledEpisode` and its parts need from the readers and the ring.
 * `JsEpisode` implements it; the tests of the state machine replace it by a scripted one. The twin of
 * `native/core/driven_episode.h`.
 */
import type { BudgetTrip, Exhaustion } from '../../budget/watch.js';
import type { ExhaustAction } from '../../schema/enumerations.js';
import type { SampleWarning, TripwireSpec } from '../engine.js';
import type { Trip } from './tripwires.js';

/** What is done to the processes of an episode. */
export type EnforcedAction = Exclude<ExhaustAction, 'stop'>;

export interface DrivenEpisode {
  /**
   * Reads every part and publishes one frame with these `FrameFlag` bits. TERMINAL ends the ring. Returns
   * `SampleOutcome` bits.
   */
  sample(flags: number): number;
  /** Publishes the given slot words, with their sources and validity, instead of reading. Applies the same clamps. */
  publish(words: BigUint64Array, flags: number): number;
  /** Reads the counters without publishing. Returns true if they equal those of the last `settle`. */
  settle(): boolean;
  /** Whether the root and all other members of the episode have exited. */
  ended(): boolean;
  takeWarnings(): SampleWarning[];
  close(): void;
  /** Whether the root process had exited at the last `ended` or `sample`. */
  readonly rootGone: boolean;
  /** Returns a copy of the last frame as it is in its slot, including its seq but not its stamp. */
  lastFrame(): BigUint64Array;
  setDeadlinesMissed(missed: number): void;

  /** Replaces all tripwires, none of which is tripped then. They are checked with every frame from now on. */
  setTripwires(tripwires: readonly TripwireSpec[]): void;
  /** Whether a tripwire with `SPEED_UP` is tripped, or a threshold of a budget that speeds up. */
  readonly speedUp: boolean;
  /** When the wall time limit will be reached; null if there is none, or once any limit has been reached. */
  readonly wallDueNs: bigint | null;
  /** The limit that was reached first, from the frame whose outcome was EXHAUSTED. */
  readonly exhaustion: Exhaustion | null;
  /** Returns the trips that have not been reported yet. */
  takeTrips(): Trip[];
  takeBudgetTrips(): BudgetTrip[];

  /** Reads everything without publishing: the cgroup may be removed at its end before it is read again. */
  remember(): void;

  /** Whether its cgroup exists. */
  readonly hasCgroup: boolean;
  /**
   * Freezes or kills everything of the episode: through its cgroup while it has one, unless `outside`. Resolves to
   * null once the kernel has accepted the request, or to the errno.
   */
  enforce(action: EnforcedAction, outside: boolean): Promise<string | null>;
  /** Whether the root is alive, and possibly outside the cgroup whose members were killed. */
  mayLiveOutside(): boolean;
  /** Checks now whether all processes of the episode are frozen or have exited. */
  isEnforced(action: EnforcedAction): boolean;
}
