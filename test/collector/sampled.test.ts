import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { FrameReader, TelemetryCollector, TelemetryPolicy } from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { blockUntil, until } from './waiting.js';

const policy = (samplePeriodMs: number, capacity = 1024): TelemetryPolicy =>
  TelemetryPolicy.builder().samplePeriodMs(samplePeriodMs).ringBufferCapacity(capacity).build();

const NEVER = 3_600_000;

describe.each(ENGINES)('a sampled session, engine %s', (engine) => {
  it('has its initial frame when start() returns, and then one a period', async () => {
    await using handle = new TelemetryCollector(policy(1), { engine }).start('own', process.pid);
    expect(handle.readFrames()[0]!.o11yFlags.initial).toBe(true);
    expect(handle.engine).toBe(engine);
    await until(() => handle.seq >= 5);
    const frames = handle.readFrames();
    expect(frames.map((f) => f.seq)).toEqual(frames.map((_, i) => i));
    expect(frames.filter((f) => f.o11yFlags.initial)).toHaveLength(1);
  });

  it('goes on while the event loop is blocked', async () => {
    await using handle = new TelemetryCollector(policy(1), { engine }).start('busy', process.pid);
    const { seq } = handle;
    blockUntil(() => handle.seq >= seq + 20);
    expect(handle.latest()!.cpuNs).toBeGreaterThan(handle.readFrames()[0]!.cpuNs!);
  });

  it('a deadline has its frame or is counted as missed; none is made up for', async () => {
    const handle = new TelemetryCollector(policy(1), { engine }).start('late', process.pid);
    await until(() => handle.seq >= 3);
    // Everything of this process stands still, the sampler too.
    const script = `kill -STOP ${process.pid}; sleep 0.2; kill -CONT ${process.pid}`;
    await once(spawn('sh', ['-c', script]), 'exit');
    const { seq } = handle;
    await until(() => handle.seq >= seq + 3);
    const frames = await handle.stop();
    const sinceStart = (ns: number) => (ns - handle.startMonoNs) / 1e6;
    const { deadlinesMissed } = handle.snapshot();
    expect(deadlinesMissed).toBeGreaterThanOrEqual(190);
    // Without the initial and the terminal one.
    const served = handle.seq - 2 + deadlinesMissed;
    expect(served).toBeGreaterThanOrEqual(Math.floor(sinceStart(frames.at(-2)!.tsMono)));
    expect(served).toBeLessThanOrEqual(sinceStart(frames.at(-1)!.tsMono) + 1);
  });

  it('ends by itself when its process ends: exit, stopped, one terminal frame', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    const handle = new TelemetryCollector(policy(1), { engine }).start('child', child.pid!);
    const order: string[] = [];
    handle.on('exit', () => order.push('exit'));
    handle.on('stopped', ({ reason }) => order.push(`stopped ${reason}`));
    await until(() => handle.seq >= 3);
    const stopped = once(handle, 'stopped');
    child.stdin.end();
    const [{ frame }] = await stopped;
    expect(order).toEqual(['exit', 'stopped exit']);
    expect(frame.o11yFlags.terminal).toBe(true);
    expect(new FrameReader(handle.share()).ended).toBe(true);
    const frames = handle.readFrames();
    expect(frames.filter((f) => f.o11yFlags.terminal)).toHaveLength(1);
    expect(frames.at(-1)!.seq).toBe(frame.seq);
    // Node burned some cpu. What a process that is gone no longer tells is carried, and not called final.
    expect(frame.cpuNs).toBeGreaterThan(0);
    expect(frame.quality.cpu.has('final')).toBe(false);
  });

  it('an aborted signal stops it; an aborted one never starts', async () => {
    const controller = new AbortController();
    const collector = new TelemetryCollector(policy(1000), { engine });
    const handle = collector.start('aborted', process.pid, { signal: controller.signal });
    controller.abort();
    expect(handle.snapshot().stopped).toBe(true);
    const [{ reason, frame }] = await once(handle, 'stopped');
    expect(reason).toBe('stop');
    expect(frame.o11yFlags.terminal).toBe(true);
    expect(() => collector.start('never', process.pid, { signal: controller.signal })).toThrow();
    await collector.start('never', process.pid).stop();
  });

  it('stop() inside a listener, or twice, ends it once', async () => {
    const handle = new TelemetryCollector(policy(1000), { engine }).start('again', process.pid);
    let stopped = 0;
    handle.on('stopped', () => {
      stopped++;
      void handle.stop();
    });
    const first = handle.stop();
    expect(handle.stop()).toBe(first);
    expect(handle.snapshot().stopped).toBe(true);
    const frames = await first;
    expect(frames.filter((f) => f.o11yFlags.terminal)).toHaveLength(1);
    expect(stopped).toBe(1);
    expect(await handle.stop()).toBe(frames);
  });

  it('stop() of one that ended by itself a moment ago: its reason is exit', async () => {
    const child = spawn('sleep', ['1000']);
    const handle = new TelemetryCollector(policy(1), { engine }).start('end', child.pid!);
    const events: string[] = [];
    handle.on('exit', () => events.push('exit'));
    handle.on('stopped', ({ reason }) => events.push(reason));
    child.kill('SIGKILL');
    blockUntil(() => handle.snapshot().stopped);
    expect(events).toEqual([]);
    await handle.stop();
    expect(events).toEqual(['exit', 'exit']);
  });

  it('applyPolicy is for new sessions only: period and ring of a running one stay', async () => {
    const collector = new TelemetryCollector(policy(1, 4), { engine });
    await using first = collector.start('first', process.pid);
    collector.applyPolicy(policy(NEVER, 8));
    await using second = collector.start('second', process.pid);
    const { seq } = first;
    await until(() => first.seq >= seq + 5);
    expect(first.snapshot().bufferCapacity).toBe(4);
    expect(second.snapshot()).toMatchObject({ bufferCapacity: 8, seq: 1 });
    expect(collector.policy.ringBufferCapacity).toBe(8);
  });

  it('collect and nextFrame are refused on it', async () => {
    const collector = new TelemetryCollector(policy(1000), { engine });
    await using handle = collector.start('sampled', process.pid);
    for (const refused of [
      () => collector.collect(handle),
      () => handle.nextFrame(handle.prevStats!),
    ]) {
      expect(refused).toThrow(expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }));
    }
  });

  it('an id runs once at a time in a collector, and again after its end', async () => {
    const collector = new TelemetryCollector(policy(1000), { engine });
    const handle = collector.start('once', process.pid);
    expect(() => collector.start('once', process.pid)).toThrow(
      expect.objectContaining({ code: 'ERR_ALREADY_STARTED' }),
    );
    await handle.stop();
    await collector.start('once', process.pid).stop();
    // What did not start runs not.
    expect(() => collector.start('once', process.pid, { cgroupPath: '/absent' })).toThrow(
      expect.objectContaining({ code: 'ERR_CGROUP_NOT_FOUND' }),
    );
    await collector.start('once', process.pid).stop();
  });

  it('frames() gives every frame of the session, each once, and ends with it', async () => {
    const handle = new TelemetryCollector(policy(1), { engine }).start('iterated', process.pid);
    const seqs: number[] = [];
    for await (const { frames, missed } of handle.frames()) {
      expect(missed).toBe(0);
      seqs.push(...frames.map((f) => f.seq));
      if (seqs.length >= 10) void handle.stop();
    }
    expect(seqs).toEqual(Array.from({ length: handle.seq }, (_, i) => i));
    // It has a place of its own in the ring.
    expect(handle.drainFrames().map((f) => f.seq)).toEqual(seqs);
  });

  it("frames({ from: 'latest', signal }) begins with the newest frame and rejects on abort", async () => {
    await using handle = new TelemetryCollector(policy(NEVER), { engine }).start(
      'latest',
      process.pid,
    );
    await handle.sampleNow();
    const controller = new AbortController();
    const frames = handle.frames({ from: 'latest', signal: controller.signal });
    expect((await frames.next()).value!.frames.map((f) => f.seq)).toEqual([1]);
    const next = frames.next();
    controller.abort();
    await expect(next).rejects.toMatchObject({ name: 'AbortError' });
    expect(() => handle.frames({ from: 'newest' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
    );
  });
});
