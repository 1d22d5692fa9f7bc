import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import {
  FrameReader,
  TelemetryCollector,
  type TelemetryHandle,
  TelemetryPolicy,
} from '../../src/index.js';
import { RingHeader } from '../../src/schema/layout.js';
import { ENGINES } from '../support/engines.js';
import { blockUntil, until } from './waiting.js';

const code = (expected: string) => expect.objectContaining({ code: expected });

const NEVER_MS = 3_600_000;
const policy = (samplePeriodMs: number): TelemetryPolicy =>
  TelemetryPolicy.builder().samplePeriodMs(samplePeriodMs).build();

/** What readers are told. */
function periodMsOf(handle: TelemetryHandle): number {
  return new DataView(handle.share().ring).getUint32(RingHeader.SAMPLE_PERIOD_MS, true);
}

describe.each(ENGINES)('setSamplePeriod(), engine %s', (engine) => {
  const start = (id: string, periodMs: number, pid = process.pid) =>
    new TelemetryCollector(policy(periodMs), { engine }).start(id, pid);

  it('takes effect without waiting for the old period, in both directions', async () => {
    await using handle = start('retimed', NEVER_MS);
    expect(periodMsOf(handle)).toBe(NEVER_MS);
    handle.setSamplePeriod(1);
    expect(periodMsOf(handle)).toBe(1);
    await until(() => handle.seq >= 20);
    handle.setSamplePeriod(NEVER_MS);
    expect(periodMsOf(handle)).toBe(NEVER_MS);
    const { seq } = await handle.sampleNow();
    // The sampler went on for another one meanwhile.
    await using other = start('other', 1);
    await until(() => other.seq >= 20);
    expect(await handle.sampleNow()).toMatchObject({ seq: seq + 1 });
  });

  it('asked without a turn of the event loop is followed without one; the last one counts', async () => {
    await using handle = start('blocked', NEVER_MS);
    for (const ms of [50, NEVER_MS, 1]) handle.setSamplePeriod(ms);
    blockUntil(() => handle.seq >= 20);
    expect(periodMsOf(handle)).toBe(1);
  });

  it('deadlines that were missed count on', async () => {
    await using handle = start('missed', 1);
    await until(() => handle.seq >= 3);
    const script = `kill -STOP ${process.pid}; sleep 0.1; kill -CONT ${process.pid}`;
    await once(spawn('sh', ['-c', script]), 'exit');
    const { seq } = handle;
    await until(() => handle.seq >= seq + 3);
    const { deadlinesMissed } = handle.snapshot();
    expect(deadlinesMissed).toBeGreaterThanOrEqual(90);
    handle.setSamplePeriod(NEVER_MS);
    await handle.sampleNow();
    expect(handle.snapshot().deadlinesMissed).toBeGreaterThanOrEqual(deadlinesMissed);
  });

  it.each([
    [0, 'ERR_OUT_OF_RANGE'],
    [-1, 'ERR_OUT_OF_RANGE'],
    [1.5, 'ERR_OUT_OF_RANGE'],
    [Number.NaN, 'ERR_OUT_OF_RANGE'],
    [Number.POSITIVE_INFINITY, 'ERR_OUT_OF_RANGE'],
    [NEVER_MS + 1, 'ERR_OUT_OF_RANGE'],
    ['5', 'ERR_INVALID_CONFIG'],
    [5n, 'ERR_INVALID_CONFIG'],
    [null, 'ERR_INVALID_CONFIG'],
    [undefined, 'ERR_INVALID_CONFIG'],
  ])('%s is refused with %s, as of a policy, and changes nothing', async (ms, expected) => {
    await using handle = start('refused', 1);
    expect(() => handle.setSamplePeriod(ms as never)).toThrow(code(expected));
    expect(periodMsOf(handle)).toBe(1);
    await until(() => handle.seq >= 3);
  });

  it('of a manual session is ERR_INVALID_CONFIG', async () => {
    const collector = new TelemetryCollector(policy(1), { engine });
    await using handle = collector.start('manual', process.pid, { manual: true });
    expect(() => handle.setSamplePeriod(1)).toThrow(code('ERR_INVALID_CONFIG'));
    expect(periodMsOf(handle)).toBe(0);
  });

  it('after stop(), and when that has resolved, is ERR_STOPPED', async () => {
    const handle = start('stopped', 1);
    const stopped = handle.stop();
    expect(() => handle.setSamplePeriod(2)).toThrow(code('ERR_STOPPED'));
    await stopped;
    expect(() => handle.setSamplePeriod(2)).toThrow(code('ERR_STOPPED'));
    expect(periodMsOf(handle)).toBe(1);
  });

  it('while the episode ends changes nothing about its one end, of which the ring tells first', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const handle = start('ending', 1, child.pid!);
    const stopped = once(handle, 'stopped');
    child.kill();
    // However often it is re-timed meanwhile, until it has ended.
    await expect(async () => {
      for (let ms = 1; ; ms = 1 + (ms % 5)) {
        handle.setSamplePeriod(ms);
        await new Promise(setImmediate);
      }
    }).rejects.toEqual(code('ERR_STOPPED'));
    expect(new FrameReader(handle.share()).ended).toBe(true);
    const [{ reason }] = await stopped;
    expect(reason).toBe('exit');
    const frames = handle.readFrames();
    expect(frames.map((f) => f.seq)).toEqual(frames.map((_, i) => frames[0]!.seq + i));
    expect(frames.filter((f) => f.o11yFlags.terminal)).toEqual([frames.at(-1)]);
  });

  it('works in a worker, where a reader that already waits gets the frames', async () => {
    const worker = new Worker(new URL('./sample-period-worker.mjs', import.meta.url), {
      workerData: { engine },
    });
    // Both may come in one turn.
    const [[told]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    expect(told).toEqual({ seq: expect.any(Number), code: 'ERR_STOPPED' });
    expect(told.seq).toBeGreaterThanOrEqual(20);
  });
});
