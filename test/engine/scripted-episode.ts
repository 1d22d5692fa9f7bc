/** An episode for the state machine alone: a test says whether it lives and what its frames find. */
import type { BudgetTrip, Exhaustion } from '../../src/budget/watch.js';
import type { SampleWarning, TripwireSpec } from '../../src/engine/engine.js';
import type { DrivenEpisode, EnforcedAction } from '../../src/engine/js/driven-episode.js';
import type { Trip } from '../../src/engine/js/tripwires.js';
import { SAMPLE_HOLD_IF_ENDED } from '../../src/schema/bounds.js';
import { SampleOutcome } from '../../src/schema/enumerations.js';
import { FRAME_WORDS, FrameWord } from '../../src/schema/layout.js';

export class ManualClock {
  nowNs = 0n;
  readonly read = (): bigint => this.nowNs;
}

export class ScriptedEpisode implements DrivenEpisode {
  readonly frames: number[] = [];
  readonly settledAtNs: bigint[] = [];
  readonly lookedAtNs: bigint[] = [];
  readonly rememberedAtNs: bigint[] = [];
  hasEnded = false;
  rootGone = false;
  speedUp = false;
  /** What the next sample finds besides. */
  outcome = 0;
  trips: Trip[] = [];
  warnings: SampleWarning[] = [];
  /** What each sample takes. */
  costNs = 0n;
  countersMove = false;
  missed = 0;
  closed = false;
  exhaustion: Exhaustion | null = null;
  wallDueNs: bigint | null = null;
  hasCgroup = true;
  livesOutside = false;
  budgetTrips: BudgetTrip[] = [];
  /** What was begun, each with how it is answered. */
  readonly enforced: {
    readonly action: EnforcedAction;
    readonly outside: boolean;
    done(errno: string | null): void;
  }[] = [];
  /** What was done has come about. */
  hasComeAbout = false;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  sample(flags: number): number {
    if (this.closed) throw new Error('sampled after its end');
    this.#clock.nowNs += this.costNs;
    if (this.hasEnded && (flags & SAMPLE_HOLD_IF_ENDED) !== 0) return SampleOutcome.ENDED;
    if (this.wallDueNs !== null && this.#clock.nowNs >= this.wallDueNs) this.wallDueNs = null;
    this.frames.push(flags & ~SAMPLE_HOLD_IF_ENDED);
    const { outcome } = this;
    this.outcome = 0;
    return outcome | (this.hasEnded ? SampleOutcome.ENDED : 0);
  }

  publish(_words: BigUint64Array, flags: number): number {
    return this.sample(flags);
  }

  remember(): void {
    this.rememberedAtNs.push(this.#clock.nowNs);
  }

  settle(): boolean {
    this.settledAtNs.push(this.#clock.nowNs);
    return this.settledAtNs.length > 1 && !this.countersMove;
  }

  ended(): boolean {
    this.lookedAtNs.push(this.#clock.nowNs);
    return this.hasEnded;
  }

  takeWarnings(): SampleWarning[] {
    return this.warnings.splice(0);
  }

  takeBudgetTrips(): BudgetTrip[] {
    return this.budgetTrips.splice(0);
  }

  enforce(action: EnforcedAction, outside: boolean): Promise<string | null> {
    return new Promise((resolve) => this.enforced.push({ action, outside, done: resolve }));
  }

  mayLiveOutside(): boolean {
    return this.livesOutside;
  }

  isEnforced(): boolean {
    return this.hasComeAbout;
  }

  takeTrips(): Trip[] {
    return this.trips.splice(0);
  }

  // Before the first frame there is none to be tripped by.
  setTripwires(_: readonly TripwireSpec[]): void {
    if (this.frames.length > 0) this.speedUp = false;
  }

  lastFrame(): BigUint64Array {
    const words = new BigUint64Array(FRAME_WORDS);
    words[FrameWord.SEQ] = BigInt(this.frames.length - 1);
    words[FrameWord.META] = BigInt(this.frames.at(-1)!);
    return words;
  }

  setDeadlinesMissed(missed: number): void {
    this.missed = missed;
  }

  close(): void {
    this.closed = true;
  }
}
