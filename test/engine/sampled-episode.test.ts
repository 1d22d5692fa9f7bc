// What an owner is told of a sampled episode. Its state machine has a table: sampled-episode-table.test.ts.
import { describe, expect, it } from 'vitest';
import type { Exhaustion } from '../../src/budget/watch.js';
import type { SampleWarning } from '../../src/engine/engine.js';
import { SampledEpisode, type Sampling } from '../../src/engine/js/sampled-episode.js';
import type { Trip } from '../../src/engine/js/tripwires.js';
import { type ReadCode, SampleOutcome } from '../../src/schema/enumerations.js';
import { FrameFlag, FrameWord } from '../../src/schema/layout.js';
import { ManualClock, ScriptedEpisode } from './scripted-episode.js';

const MS = 1_000_000n;

function start(
  prepare: (episode: ScriptedEpisode) => void = () => {},
  sampling: Partial<Sampling> = {},
) {
  const clock = new ManualClock();
  const episode = new ScriptedEpisode(clock);
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

describe('news', () => {
  it('tells of frames only where that was asked for', () => {
    expect(start().sampled.hasNews).toBe(false);
    const { sampled } = start(undefined, { notifyEvery: 1 });
    expect(sampled.takeNews().frames).toBe(true);
    expect(sampled.hasNews).toBe(false);
  });

  it('a change of a source is told with its frame', () => {
    const { episode, sampled, run } = start();
    run(100n * MS);
    episode.outcome = SampleOutcome.SOURCE_CHANGED;
    run(200n * MS);
    expect(sampled.takeNews().sources).toEqual([{ seq: 2, meta: 0 }]);
  });

  it('a frame on request has no flag that marks an end', () => {
    const { episode, sampled } = start();
    sampled.requestFrame(7, PROMOTED | INITIAL | TERMINAL);
    sampled.wake(30n * MS);
    expect(episode.frames).toEqual([INITIAL, PROMOTED]);
    const [reply] = sampled.takeNews().replies;
    expect(reply!.request).toBe(7);
    expect(reply!.words[FrameWord.SEQ]).toBe(1n);
  });

  it('the terminal frame is kept, the files are closed, and nothing is told after it', () => {
    const { episode, sampled, run } = start();
    episode.hasEnded = true;
    run(1000n * MS);
    expect(sampled.takeNews().ended).toEqual({ exited: true, failure: null });
    expect(sampled.terminal![FrameWord.SEQ]).toBe(1n);
    expect(episode.closed).toBe(true);
    sampled.requestEnd();
    sampled.requestFrame(1, 0);
    sampled.exitHint();
    sampled.wake(2000n * MS);
    expect(episode.frames).toHaveLength(2);
    expect(sampled.hasNews).toBe(false);
  });

  it('a limit is told with what reached it', () => {
    const exhaustion: Exhaustion = {
      resource: 0,
      limit: 10n,
      consumed: 12n,
      seq: 1,
      tsNs: 100n * MS,
      lateNs: 5n,
    };
    const { episode, sampled, run } = start();
    episode.exhaustion = exhaustion;
    episode.outcome = SampleOutcome.EXHAUSTED;
    run(100n * MS);
    expect(sampled.takeNews().exhausted).toEqual(exhaustion);
  });
});

describe('tripwires', () => {
  const trip = (seq: number): Trip => ({ index: 0, value: 1n, seq });
  const change = (episode: ScriptedEpisode, speedUp: boolean): void => {
    episode.outcome = SampleOutcome.TRIPPED;
    episode.speedUp = speedUp;
  };

  it('speed it up from the deadline that tripped one, and let it go back', () => {
    const { episode, sampled, run } = start();
    change(episode, true);
    episode.trips = [trip(1)];
    run(100n * MS);
    expect(sampled.wakeNs).toBe(125n * MS);
    expect(sampled.takeNews().trips).toEqual([trip(1)]);
    change(episode, false);
    run(125n * MS);
    expect(sampled.wakeNs).toBe(225n * MS);
    expect(sampled.hasNews).toBe(false);
  });

  it('the initial frame may trip one', () => {
    const { sampled } = start((episode) => change(episode, true));
    expect(sampled.wakeNs).toBe(25n * MS);
  });

  it('others in their place begin at the usual period', () => {
    const { sampled } = start((episode) => change(episode, true));
    expect(sampled.wakeNs).toBe(25n * MS);
    sampled.requestTripwires([]);
    sampled.wake(0n);
    expect(sampled.wakeNs).toBe(100n * MS);
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
    const { sources, trips, warnings } = sampled.takeNews();
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
    const files = sampled.takeNews().warnings.map(({ failure }) => failure.file);
    expect(files).toEqual(Array.from({ length: 14 }, (_, i) => `file ${7 + i}`));
  });
});
