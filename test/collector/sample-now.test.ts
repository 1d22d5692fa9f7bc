import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { O11yFlags, TelemetryCollector, TelemetryPolicy } from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';

const code = (expected: string) => expect.objectContaining({ code: expected });

/** So long a period that no frame is taken by itself. */
const policy = TelemetryPolicy.builder().samplePeriodMs(3_600_000).build();

describe.each(ENGINES)('sampleNow(), engine %s', (engine) => {
  const collector = new TelemetryCollector(policy, { engine });

  it('takes one frame now, with its flags, into the ring', async () => {
    await using handle = collector.start('now', process.pid);
    const before = process.hrtime.bigint();
    const frame = await handle.sampleNow(O11yFlags.none.withPromoted());
    expect(frame).toMatchObject({ episodeId: 'now', seq: 1 });
    expect(frame.tsMono).toBeGreaterThanOrEqual(Number(before));
    expect(frame.o11yFlags).toMatchObject({ promoted: true, initial: false, terminal: false });
    expect(handle.readFrames()[1]).toEqual(frame);
  });

  it('asked several times at once answers each with a frame of its own', async () => {
    await using handle = collector.start('many', process.pid);
    const frames = await Promise.all(Array.from({ length: 5 }, () => handle.sampleNow()));
    expect(frames.map((f) => f.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(handle.seq).toBe(6);
  });

  it('initial and terminal are the session’s to set', async () => {
    await using handle = collector.start('flags', process.pid);
    const frame = await handle.sampleNow(new O11yFlags({ initial: true, terminal: true }));
    expect(frame.o11yFlags.hasAny && !frame.o11yFlags.degraded).toBe(false);
    expect(handle.snapshot().stopped).toBe(false);
  });

  it('before a stop() is answered before the terminal frame', async () => {
    const handle = collector.start('stop', process.pid);
    const [frame, frames] = await Promise.all([handle.sampleNow(), handle.stop()]);
    expect(frame.seq).toBe(1);
    expect(frames.map((f) => f.o11yFlags.terminal)).toEqual([false, false, true]);
  });

  it('of an episode that has ended is the terminal frame', async () => {
    const cgroup = new FixtureCgroup();
    const child = spawn('true');
    await once(child, 'exit');
    cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
    const handle = new TelemetryCollector(policy, { engine, requireCgroupfs: false }).start(
      'over',
      child.pid!,
      { cgroupPath: cgroup.path },
    );
    const [frame, again] = await Promise.all([handle.sampleNow(), handle.sampleNow()]);
    expect(frame).toMatchObject({ seq: 1, cpuNs: 100_000 });
    expect(frame.o11yFlags.terminal).toBe(true);
    expect(again).toEqual(frame);
    await handle.stop();
    cgroup.remove();
  });

  it('after the end, or with anything but flags, is refused', async () => {
    const handle = collector.start('refused', process.pid);
    await expect(handle.sampleNow({} as never)).rejects.toEqual(code('ERR_INVALID_CONFIG'));
    const stopped = handle.stop();
    await expect(handle.sampleNow()).rejects.toEqual(code('ERR_STOPPED'));
    await stopped;
    await expect(handle.sampleNow()).rejects.toEqual(code('ERR_STOPPED'));
  });
});
