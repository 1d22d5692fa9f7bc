import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BudgetTracker,
  FrameRecorder,
  type FrameSink,
  type FramesEntry,
  PromoteTriggers,
  readRecording,
  type SinkEntry,
  type StartOptions,
  TelemetryCollector,
  type TelemetryHandle,
  TelemetryPolicy,
} from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';
import { until } from './waiting.js';

/** A sink that keeps what it is given. */
class Keeper implements FrameSink {
  readonly entries: SinkEntry[] = [];

  write(entry: SinkEntry): void {
    this.entries.push(entry);
  }

  get batches(): FramesEntry[] {
    return this.entries.filter((entry) => entry.kind === 'frames');
  }

  get seqs(): number[] {
    return this.batches.flatMap(({ frames }) => frames.map(({ seq }) => Number(seq)));
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

describe.each(ENGINES)('promotion, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  let child: ChildProcess;
  beforeEach(() => {
    cgroup = new FixtureCgroup();
    child = spawn('sleep', ['600'], { stdio: 'ignore' });
  });
  afterEach(() => {
    child.kill('SIGKILL');
    cgroup.remove();
  });

  function startWith(
    triggers: PromoteTriggers,
    options: StartOptions,
    capacity = 64,
  ): { collector: TelemetryCollector; handle: TelemetryHandle } {
    const policy = TelemetryPolicy.builder()
      .samplePeriodMs(3_600_000)
      .ringBufferCapacity(capacity)
      .promoteTriggers(triggers)
      .build();
    const collector = new TelemetryCollector(policy, {
      engine,
      cgroupRoot: cgroup.root,
      requireCgroupfs: false,
    });
    return { collector, handle: collector.start('fixture', child.pid!, options) };
  }

  it('every so many frames, and at the end: each frame once, in order, flagged', async () => {
    const sink = new Keeper();
    const triggers = new PromoteTriggers({ onTermination: true, periodicFrames: 3 });
    const { handle } = startWith(triggers, { recorder: sink });
    const events: unknown[] = [];
    handle.on('promoted', (event) => events.push(event));
    for (let i = 0; i < 7; i++) await handle.sampleNow();
    await handle.stop();
    expect(sink.entries[0]).toMatchObject({ kind: 'start', episodeId: 'fixture', pid: child.pid });
    expect(sink.seqs).toEqual(range(0, 9));
    expect(sink.batches.every(({ missed }) => missed === 0)).toBe(true);
    expect(sink.batches.map(({ trigger }) => trigger)).toEqual([
      'periodic',
      'periodic',
      'termination',
    ]);
    for (const { frames } of sink.batches) {
      for (const frame of frames) expect(frame.o11yFlags.promoted).toBe(true);
    }
    expect(events.at(-1)).toMatchObject({ trigger: 'termination', lastSeq: 8, missed: 0 });
    expect(handle.snapshot()).toMatchObject({ framesPromoted: 9, bufferLen: 0 });
    expect(sink.entries.at(-1)).toMatchObject({
      kind: 'end',
      reason: 'stop',
      framesCollected: 9,
      framesPromoted: 9,
      exhausted: null,
      frame: { seq: 8n },
    });
    // What the ring holds was not changed by it.
    expect(handle.readFrames().some((frame) => frame.o11yFlags.promoted)).toBe(false);
  });

  it('a manual session promotes as it is collected, gaps told', async () => {
    const sink = new Keeper();
    const triggers = new PromoteTriggers({ periodicFrames: 10 });
    const { collector, handle } = startWith(triggers, { manual: true, recorder: sink }, 4);
    for (let i = 0; i < 25; i++) collector.collect(handle);
    await handle.stop();
    expect(sink.seqs).toEqual([...range(6, 10), ...range(16, 20)]);
    expect(sink.batches.map(({ missed }) => missed)).toEqual([6, 6]);
  });

  it('quarantine promotes what the ring holds, with the reason', async () => {
    const sink = new Keeper();
    const triggers = new PromoteTriggers({ onQuarantine: true });
    const { handle } = startWith(triggers, { recorder: sink });
    await handle.sampleNow();
    handle.quarantine('wrote outside of its directory');
    handle.quarantine('and again');
    await until(() => sink.batches.length === 2);
    expect(sink.batches).toMatchObject([
      { trigger: 'quarantine', reason: 'wrote outside of its directory', missed: 0 },
      { trigger: 'quarantine', reason: 'and again', frames: [] },
    ]);
    expect(sink.seqs).toEqual([0, 1]);
    for (const bad of ['', ' ', undefined, 7]) {
      expect(() => handle.quarantine(bad as string)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
      );
    }
    await handle.stop();
    expect(sink.seqs).toEqual([0, 1]);
    expect(() => handle.quarantine('late')).toThrow(
      expect.objectContaining({ code: 'ERR_STOPPED' }),
    );
  });

  it('the budget’s threshold promotes where the policy says so, and not where it does not', async () => {
    for (const onBudgetThreshold of [true, false]) {
      const sink = new Keeper();
      cgroup.cpu({ usage: 100, user: 60, system: 40 });
      const triggers = new PromoteTriggers({ onBudgetThreshold });
      const { handle } = startWith(triggers, {
        recorder: sink,
        budget: new BudgetTracker({ cpuMs: 10 }),
      });
      const threshold = once(handle, 'threshold');
      cgroup.cpu({ usage: 9_000, user: 60, system: 40 });
      await handle.sampleNow();
      await threshold;
      await handle.stop();
      expect(sink.batches.map(({ trigger }) => trigger)).toEqual(
        onBudgetThreshold ? ['budgetThreshold'] : [],
      );
    }
  });

  it('no trigger, no frame; a start and an end all the same', async () => {
    const sink = new Keeper();
    const { handle } = startWith(PromoteTriggers.none, { recorder: sink });
    handle.quarantine('in vain');
    await handle.stop();
    expect(sink.entries.map(({ kind }) => kind)).toEqual(['start', 'end']);
  });

  it('what was drained is promoted: the recorder does not get it again', async () => {
    const sink = new Keeper();
    const { handle } = startWith(PromoteTriggers.default, { recorder: sink });
    await handle.sampleNow();
    expect(handle.drainFrames().map(({ seq }) => seq)).toEqual([0, 1]);
    await handle.stop();
    expect(sink.seqs).toEqual([2]);
    expect(handle.drainFrames()).toEqual([]);
    expect(handle.snapshot().framesPromoted).toBe(3);
  });

  it('a sink is given one entry at a time, and stop() waits for the last', async () => {
    let busy = 0;
    const taken: string[] = [];
    const sink: FrameSink = {
      async write({ kind }) {
        expect(busy++).toBe(0);
        await new Promise(setImmediate);
        busy--;
        taken.push(kind);
      },
    };
    const triggers = new PromoteTriggers({ onTermination: true, periodicFrames: 1 });
    const { collector, handle } = startWith(triggers, { manual: true, recorder: sink });
    for (let i = 0; i < 3; i++) collector.collect(handle);
    await handle.stop();
    expect(taken).toEqual(['start', 'frames', 'frames', 'frames', 'frames', 'end']);
  });

  it('a sink that throws is a warning, once for each failure of its kind; the session goes on', async () => {
    for (const fail of [
      () => {
        throw new Error('no room');
      },
      () => Promise.reject(new Error('no room')),
    ]) {
      const triggers = new PromoteTriggers({ periodicFrames: 1 });
      const { handle } = startWith(triggers, { recorder: { write: fail } });
      const warnings: unknown[] = [];
      handle.on('warning', (error) => warnings.push(error));
      for (let i = 0; i < 3; i++) await handle.sampleNow();
      await handle.stop();
      expect(warnings).toMatchObject([{ code: 'ERR_SINK_FAILED', cause: { message: 'no room' } }]);
    }
  });

  it('anything but a sink is refused', () => {
    for (const recorder of [{}, null, 'file', () => {}]) {
      expect(() => startWith(PromoteTriggers.all, { recorder: recorder as never })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
      );
    }
  });

  describe('to a file', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'episcope-promotion-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it('an exhausted budget is remembered: header, every frame, the end with its totals', async () => {
      const path = join(folder, 'frames.ndjson');
      cgroup.write('cgroup.kill', '');
      const budget = new BudgetTracker({ cpuMs: 1 });
      const { handle } = startWith(PromoteTriggers.all, {
        recorder: new FrameRecorder(path),
        budget,
        onExhausted: 'kill',
      });
      const exhausted = once(handle, 'exhausted');
      cgroup.cpu({ usage: 2_500, user: 60, system: 40 });
      await handle.sampleNow();
      await exhausted;
      cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
      const frames = await handle.stop();
      const recording = readRecording(path);
      const read: number[] = [];
      for await (const frame of recording) read.push(frame.seq);
      expect(read).toEqual(frames.map(({ seq }) => seq));
      expect(recording.header).toMatchObject({
        episodeId: 'fixture',
        budget: { cpuMs: 1 },
        onExhausted: 'kill',
      });
      expect(recording.end).toMatchObject({
        reason: 'exhausted',
        exhausted: { resource: 'cpuMs', limit: 1, consumed: 2.5, action: 'kill' },
        totals: { cpuNs: 2_500_000 },
      });
    });

    it('a recording that cannot be written is a warning; sampling goes on', async () => {
      const triggers = new PromoteTriggers({ onTermination: true, periodicFrames: 1 });
      const { handle } = startWith(triggers, { recorder: new FrameRecorder(folder) });
      const [error] = await once(handle, 'warning');
      expect(error).toMatchObject({ code: 'ERR_RECORDING_IO', errno: 'EISDIR' });
      expect((await handle.sampleNow()).seq).toBe(1);
      await handle.stop();
    });
  });
});
