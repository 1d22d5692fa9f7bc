// The state machine alone: an episode that does what it is told, and a clock that moves by hand.

import { describe, expect, it } from 'vitest';
import type { BudgetTrip, Exhaustion } from '../../src/budget/watch.js';
import type { SampleWarning, TripwireSpec } from '../../src/engine/engine.js';
import {
  type EnforcedAction,
  type OpenEpisode,
  SampledEpisode,
  type Sampling,
} from '../../src/engine/js/sampled-episode.js';
import type { Trip } from '../../src/engine/js/tripwires.js';
import { SAMPLE_HOLD_IF_ENDED } from '../../src/schema/bounds.js';
import { type ReadCode, SampleOutcome } from '../../src/schema/enumerations.js';
import { FRAME_WORDS, FrameFlag, FrameWord } from '../../src/schema/layout.js';

const MS = 1_000_000n;

class Clock {
  nowNs = 0n;
  readonly read = (): bigint => this.nowNs;
}

/** Publishes into a list; whether it lives, and what a sample finds, is said by the test. */
class ToldEpisode implements OpenEpisode {
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
  /** The read that is the last to differ from the one before it. */
  lastChange = 1;
  missed = 0;
  closed = false;
  exhaustion: Exhaustion | null = null;
  wallDueNs: bigint | null = null;
  hasCgroup = true;
  budgetTrips: BudgetTrip[] = [];
  /** What was asked to be done, each with how its asker is answered. */
  readonly enforced: { readonly action: EnforcedAction; done(errno: string | null): void }[] = [];
  /** What was done has come about. */
  hasComeAbout = false;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  sample(flags: number): number {
    if (this.closed) throw new Error('sampled after its end');
    this.#clock.nowNs += this.costNs;
    if (this.ended() && (flags & SAMPLE_HOLD_IF_ENDED) !== 0) return SampleOutcome.ENDED;
    this.frames.push(flags & ~SAMPLE_HOLD_IF_ENDED);
    const { outcome } = this;
    this.outcome = 0;
    return outcome | (this.hasEnded ? SampleOutcome.ENDED : 0);
  }

  remember(): void {
    this.rememberedAtNs.push(this.#clock.nowNs);
  }

  settle(): boolean {
    this.settledAtNs.push(this.#clock.nowNs);
    return this.settledAtNs.length > this.lastChange;
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

  enforce(action: EnforcedAction): Promise<string | null> {
    return new Promise((resolve) => this.enforced.push({ action, done: resolve }));
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

function start(
  prepare: (episode: ToldEpisode) => void = () => {},
  sampling: Partial<Sampling> = {},
) {
  const clock = new Clock();
  const episode = new ToldEpisode(clock);
  prepare(episode);
  const sampled = new SampledEpisode(
    episode,
    {
      periodNs: 100n * MS,
      fastPeriodNs: 25n * MS,
      tripwires: [],
      onExhausted: 'stop',
      notifyEvery: 0,
      anchorNs: 0n,
      ...sampling,
    },
    clock.read,
  );
  /** Wakes it whenever it wants, until that would be after `untilNs`. */
  const run = (untilNs: bigint): void => {
    for (let at = sampled.wakeNs; at !== null && at <= untilNs; at = sampled.wakeNs) {
      if (at > clock.nowNs) clock.nowNs = at;
      sampled.wake(clock.nowNs);
    }
    if (untilNs > clock.nowNs) clock.nowNs = untilNs;
  };
  return { clock, episode, sampled, run };
}

const { INITIAL, TERMINAL, PROMOTED } = FrameFlag;

describe('while it is sampled', () => {
  it('has its initial frame at once, and then one a deadline', () => {
    const { episode, run } = start();
    expect(episode.frames).toEqual([INITIAL]);
    run(350n * MS);
    expect(episode.frames).toEqual([INITIAL, 0, 0, 0]);
  });

  it('deadlines that a sample took are missed, and told in the ring', () => {
    const { episode, run } = start();
    episode.costNs = 250n * MS;
    run(100n * MS);
    expect(episode.frames).toHaveLength(2);
    expect(episode.missed).toBe(2);
  });

  it('a wake too early does nothing; one within the slack serves the deadline', () => {
    const { episode, sampled } = start();
    sampled.wake(98n * MS);
    expect(episode.frames).toHaveLength(1);
    sampled.wake(99n * MS);
    expect(episode.frames).toHaveLength(2);
    expect(sampled.wakeNs).toBe(200n * MS);
  });

  it('tells of frames only where that was asked for', () => {
    expect(start().sampled.news.any).toBe(false);
    const { sampled } = start(undefined, { notifyEvery: 1 });
    expect(sampled.news.take().frames).toBe(true);
    expect(sampled.news.any).toBe(false);
  });

  it('a change of a source is told with its frame', () => {
    const { episode, sampled, run } = start();
    run(100n * MS);
    episode.outcome = SampleOutcome.SOURCE_CHANGED;
    run(200n * MS);
    expect(sampled.news.take().sources).toEqual([{ seq: 2, meta: 0 }]);
  });

  it('a frame on request is one beside the period, and moves no deadline', () => {
    const { episode, sampled, clock } = start();
    clock.nowNs = 30n * MS;
    sampled.requestFrame(7, PROMOTED | INITIAL | TERMINAL);
    expect(episode.frames).toEqual([INITIAL, PROMOTED]);
    const [reply] = sampled.news.take().replies;
    expect(reply!.request).toBe(7);
    expect(reply!.words[FrameWord.SEQ]).toBe(1n);
    expect(sampled.wakeNs).toBe(100n * MS);
  });

  it('another period counts from the last deadline', () => {
    const { sampled, run } = start();
    run(110n * MS);
    sampled.setPeriod(30n * MS, 10n * MS);
    expect(sampled.wakeNs).toBe(130n * MS);
  });
});

describe('tripwires', () => {
  const trip = (seq: number): Trip => ({ index: 0, value: 1n, seq });
  const change = (episode: ToldEpisode, speedUp: boolean): void => {
    episode.outcome = SampleOutcome.TRIPPED;
    episode.speedUp = speedUp;
  };

  it('speed it up from the deadline that tripped one, and let it go back', () => {
    const { episode, sampled, run } = start();
    change(episode, true);
    episode.trips = [trip(1)];
    run(100n * MS);
    expect(sampled.wakeNs).toBe(125n * MS);
    expect(sampled.news.take().trips).toEqual([trip(1)]);
    change(episode, false);
    run(125n * MS);
    expect(sampled.wakeNs).toBe(225n * MS);
    expect(sampled.news.any).toBe(false);
  });

  it('the initial frame may trip one', () => {
    const { sampled } = start((episode) => change(episode, true));
    expect(sampled.wakeNs).toBe(25n * MS);
  });

  it('others in their place begin at the usual period', () => {
    const { sampled } = start((episode) => change(episode, true));
    expect(sampled.wakeNs).toBe(25n * MS);
    sampled.setTripwires([]);
    expect(sampled.wakeNs).toBe(100n * MS);
  });
});

describe('the end', () => {
  it('found by a sample: settles until nothing moved for 8 ms, then the terminal frame, once', () => {
    const { episode, sampled, run } = start();
    episode.hasEnded = true;
    run(1000n * MS);
    expect(episode.frames).toEqual([INITIAL, TERMINAL]);
    expect(episode.settledAtNs).toEqual(
      [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n].map((ms) => (100n + ms) * MS),
    );
    expect(sampled.news.take().ended).toEqual({ exited: true, failure: null });
    expect(sampled.terminal![FrameWord.SEQ]).toBe(1n);
    expect(episode.closed).toBe(true);
    expect(sampled.wakeNs).toBeNull();
    sampled.requestEnd();
    sampled.requestFrame(1, 0);
    sampled.exitHint();
    sampled.wake(2000n * MS);
    expect(episode.frames).toHaveLength(2);
    expect(sampled.news.any).toBe(false);
  });

  it('counters that move once more are read for 8 ms from there', () => {
    const { episode, run } = start();
    episode.hasEnded = true;
    episode.lastChange = 2;
    run(1000n * MS);
    expect(episode.settledAtNs.at(-1)).toBe(109n * MS);
    expect(episode.frames).toEqual([INITIAL, TERMINAL]);
  });

  it('counters that never agree are waited for 10 ms', () => {
    const { episode, run } = start();
    episode.hasEnded = true;
    episode.lastChange = Number.POSITIVE_INFINITY;
    run(1000n * MS);
    expect(episode.settledAtNs).toHaveLength(11);
    expect(episode.settledAtNs.at(-1)).toBe(110n * MS);
    expect(episode.frames).toEqual([INITIAL, TERMINAL]);
  });

  it('found at the initial frame: nothing is lost', () => {
    const { episode, sampled, run } = start((told) => {
      told.hasEnded = true;
    });
    expect(episode.frames).toEqual([INITIAL]);
    run(10n * MS);
    expect(episode.frames).toEqual([INITIAL, TERMINAL]);
    expect(sampled.news.take().ended!.exited).toBe(true);
  });

  it('a hint is followed at once; one of a living root changes nothing', () => {
    const { episode, sampled, clock, run } = start();
    clock.nowNs = 10n * MS;
    sampled.exitHint();
    expect(sampled.wakeNs).toBe(100n * MS);
    episode.hasEnded = true;
    sampled.exitHint();
    run(50n * MS);
    expect(episode.frames).toEqual([INITIAL, TERMINAL]);
  });

  it('after its root is gone the end is looked for ever less often, while samples go on', () => {
    const { episode, sampled, clock, run } = start();
    episode.rootGone = true;
    clock.nowNs = 10n * MS;
    sampled.exitHint();
    episode.lookedAtNs.length = 0;
    run(99n * MS);
    const looks = [11n, 13n, 17n, 25n, 41n, 61n, 81n];
    expect(episode.lookedAtNs).toEqual(looks.map((ms) => ms * MS));
    // Whoever removes a cgroup at its end does so soon after the root's.
    const remembered = [10n, 11n, 13n, 17n, 25n];
    expect(episode.rememberedAtNs).toEqual(remembered.map((ms) => ms * MS));
    run(150n * MS);
    expect(episode.frames).toEqual([INITIAL, 0]);
    episode.hasEnded = true;
    run(180n * MS);
    expect(episode.frames).toEqual([INITIAL, 0, TERMINAL]);
  });

  it('asked for: the terminal frame at once, and settled only where the episode has ended', () => {
    const { episode, sampled } = start();
    sampled.requestEnd();
    expect(episode.frames).toEqual([INITIAL, TERMINAL]);
    expect(episode.settledAtNs).toEqual([]);
    expect(sampled.news.take().ended!.exited).toBe(false);

    const other = start();
    other.episode.hasEnded = true;
    other.sampled.requestEnd();
    expect(other.episode.frames).toEqual([INITIAL]);
    other.run(10n * MS);
    expect(other.episode.frames).toEqual([INITIAL, TERMINAL]);
    expect(other.sampled.news.take().ended!.exited).toBe(true);
  });

  it('a request that finds the end, or comes while it settles, is answered by the terminal frame', () => {
    const { episode, sampled, run } = start();
    episode.hasEnded = true;
    sampled.requestFrame(1, 0);
    sampled.requestFrame(2, 0);
    expect(sampled.news.any).toBe(false);
    run(10n * MS);
    const { replies, ended } = sampled.news.take();
    expect(ended!.exited).toBe(true);
    expect(replies.map(({ request, words }) => [request, words[FrameWord.META]])).toEqual([
      [1, BigInt(TERMINAL)],
      [2, BigInt(TERMINAL)],
    ]);
  });
});

describe('news that nobody takes', () => {
  const warning = (file: string, code: ReadCode = 'ERR_CGROUP_READ'): SampleWarning => ({
    part: 0,
    failure: { code, errno: null, file, pid: null, offset: null, reason: null },
  });

  it('is the newest 64 changes of a source and trips, and each warning once', () => {
    const { episode, sampled, run } = start();
    for (let k = 1; k <= 100; k++) {
      episode.outcome =
        SampleOutcome.SOURCE_CHANGED | SampleOutcome.TRIPPED | SampleOutcome.WARNING;
      episode.trips = [{ index: 0, value: 1n, seq: k }];
      episode.warnings = [warning('io.stat'), warning('cpu.stat')];
      run(BigInt(k) * 100n * MS);
    }
    const { sources, trips, warnings } = sampled.news.take();
    expect(sources.map(({ seq }) => seq)).toEqual(Array.from({ length: 64 }, (_, i) => 37 + i));
    expect(trips).toHaveLength(64);
    expect(trips.at(-1)!.seq).toBe(100);
    expect(warnings).toEqual([warning('io.stat'), warning('cpu.stat')]);
  });

  it('holds no more warnings than there are files', () => {
    const { episode, sampled, run } = start();
    for (let k = 1; k <= 20; k++) {
      episode.outcome = SampleOutcome.WARNING;
      episode.warnings = [warning(`file ${k}`)];
      run(BigInt(k) * 100n * MS);
    }
    const files = sampled.news.take().warnings.map(({ failure }) => failure.file);
    expect(files).toEqual(Array.from({ length: 14 }, (_, i) => `file ${7 + i}`));
  });
});

const EXHAUSTION: Exhaustion = {
  resource: 0,
  limit: 10n,
  consumed: 12n,
  seq: 1,
  tsNs: 100n * MS,
  lateNs: 5n,
};

/** The second frame, at 100 ms, reaches a limit. */
function startExhausted(sampling: Partial<Sampling>) {
  const started = start(undefined, sampling);
  const { episode, run } = started;
  run(99n * MS);
  episode.exhaustion = EXHAUSTION;
  episode.outcome = SampleOutcome.EXHAUSTED;
  run(100n * MS);
  /** Answers the last action, as the actuator would. */
  const answer = async (errno: string | null): Promise<void> => {
    episode.enforced.at(-1)!.done(errno);
    await new Promise(setImmediate);
  };
  return { ...started, answer };
}

describe('a limit that is reached', () => {
  it('with stop: the terminal frame follows the one that reached it', () => {
    const { episode, sampled } = startExhausted({ onExhausted: 'stop' });
    expect(episode.frames).toEqual([INITIAL, 0, TERMINAL]);
    expect(sampled.news.take()).toMatchObject({
      exhausted: EXHAUSTION,
      failedActions: [],
      ended: { exited: false },
    });
    expect(episode.enforced).toEqual([]);
  });

  it('with kill: sampling goes on until nobody lives, then the totals settle', async () => {
    const { episode, sampled, run, answer } = startExhausted({ onExhausted: 'kill' });
    expect(episode.enforced.map(({ action }) => action)).toEqual(['kill']);
    run(200n * MS);
    expect(episode.frames).toEqual([INITIAL, 0, 0]);
    await answer(null);
    run(210n * MS);
    expect(sampled.terminal).toBe(null);
    episode.hasComeAbout = true;
    episode.hasEnded = true;
    run(260n * MS);
    expect(episode.frames).toEqual([INITIAL, 0, 0, TERMINAL]);
    expect(sampled.news.take().ended).toMatchObject({ exited: true });
  });

  it('with freeze: the totals settle, and the episode did not exit', async () => {
    const { episode, sampled, run, answer } = startExhausted({ onExhausted: 'freeze' });
    await answer(null);
    episode.hasComeAbout = true;
    run(199n * MS);
    expect(episode.settledAtNs.length).toBeGreaterThan(1);
    expect(sampled.news.take().ended).toMatchObject({ exited: false });
  });

  it('what fails is told, and the next weaker action taken', async () => {
    const { episode, sampled, answer } = startExhausted({ onExhausted: 'kill' });
    await answer('EPERM');
    expect(episode.enforced.map(({ action }) => action)).toEqual(['kill', 'freeze']);
    await answer('EACCES');
    expect(sampled.news.take()).toMatchObject({
      failedActions: [
        { action: 'kill', errno: 'EPERM', next: 'freeze' },
        { action: 'freeze', errno: 'EACCES', next: 'stop' },
      ],
      ended: { exited: false },
    });
  });

  it('without a cgroup nothing is frozen', async () => {
    const { episode, sampled, answer } = startExhausted({ onExhausted: 'kill' });
    episode.hasCgroup = false;
    await answer('EPERM');
    expect(sampled.news.take().failedActions).toEqual([
      { action: 'kill', errno: 'EPERM', next: 'stop' },
    ]);
    expect(episode.frames.at(-1)).toBe(TERMINAL);
  });

  it('who was not found at once is looked for again, for 5 s', async () => {
    const { episode, sampled, clock, run, answer } = startExhausted({ onExhausted: 'kill' });
    await answer('EAGAIN');
    run(101n * MS);
    await answer('EAGAIN');
    run(102n * MS);
    expect(episode.enforced).toHaveLength(3);
    expect(sampled.news.take().failedActions).toEqual([]);
    clock.nowNs += 5_000n * MS;
    await answer('EAGAIN');
    expect(sampled.news.take().failedActions).toMatchObject([{ errno: 'EAGAIN', next: 'freeze' }]);
  });

  it('what does not come about within 5 s has failed; a late answer changes nothing', async () => {
    const { episode, sampled, run } = startExhausted({ onExhausted: 'kill' });
    run(5_200n * MS);
    expect(sampled.news.take().failedActions).toEqual([
      { action: 'kill', errno: 'ETIMEDOUT', next: 'freeze' },
    ]);
    episode.enforced[0]!.done('EPERM');
    await new Promise(setImmediate);
    expect(episode.enforced.map(({ action }) => action)).toEqual(['kill', 'freeze']);
    expect(sampled.news.take().failedActions).toEqual([]);
  });

  it('who asks for the end meanwhile waits for what is being done', async () => {
    const { episode, sampled, run, answer } = startExhausted({ onExhausted: 'freeze' });
    sampled.requestEnd();
    expect(sampled.terminal).toBe(null);
    await answer(null);
    episode.hasComeAbout = true;
    run(150n * MS);
    expect(sampled.terminal).not.toBe(null);
  });

  it('by the terminal frame is told, and nothing is left to be done', () => {
    const { episode, sampled } = start(undefined, { onExhausted: 'kill' });
    episode.exhaustion = EXHAUSTION;
    episode.outcome = SampleOutcome.EXHAUSTED;
    sampled.requestEnd();
    expect(episode.enforced).toEqual([]);
    expect(sampled.news.take()).toMatchObject({ exhausted: EXHAUSTION, ended: { exited: false } });
  });

  it('by the initial frame is acted upon at once', () => {
    const { episode, sampled } = start((told) => {
      told.exhaustion = EXHAUSTION;
      told.outcome = SampleOutcome.EXHAUSTED;
    });
    expect(episode.frames).toEqual([INITIAL, TERMINAL]);
    expect(sampled.wakeNs).toBe(null);
  });

  it('by an episode that had ended when it began: nothing is left to be done', () => {
    const { episode, sampled, run } = start(
      (told) => {
        told.hasEnded = true;
        told.exhaustion = EXHAUSTION;
        told.outcome = SampleOutcome.EXHAUSTED;
      },
      { onExhausted: 'kill' },
    );
    run(20n * MS);
    expect(episode.enforced).toEqual([]);
    expect(sampled.news.take()).toMatchObject({ exhausted: EXHAUSTION, ended: { exited: true } });
  });

  it('of wall time has a frame of its own at that moment', () => {
    const { episode, sampled, run } = start((told) => {
      told.wallDueNs = 30n * MS;
    });
    expect(sampled.wakeNs).toBe(30n * MS);
    run(29n * MS);
    expect(episode.frames).toEqual([INITIAL]);
    episode.exhaustion = EXHAUSTION;
    episode.outcome = SampleOutcome.EXHAUSTED;
    sampled.wake(30n * MS);
    expect(episode.frames).toEqual([INITIAL, 0, TERMINAL]);
  });
});
