import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { HandleEvents } from '../../src/collector/events.js';
import { KeptEvents } from '../../src/collector/kept-events.js';
import {
  BudgetTracker,
  type FrameSink,
  PromoteTriggers,
  TelemetryCollector,
  type TelemetryHandle,
  TelemetryPolicy,
} from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { until } from './waiting.js';

/** Burns half a cpu until it is disposed of, or whoever holds its stdin has ended. */
function startBurner(): Disposable & { readonly pid: number } {
  const burn = `setInterval(() => { for (const end = Date.now() + 5; Date.now() < end; ); }, 10);
    process.stdin.resume().on('end', () => process.exit());`;
  const child = spawn(process.execPath, ['-e', burn], { stdio: ['pipe', 'ignore', 'ignore'] });
  return { pid: child.pid ?? 0, [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

const ended = (handle: TelemetryHandle) => until(() => handle.snapshot().stopReason !== null);

describe.each(ENGINES)('who listens late, engine %s', (engine) => {
  const policy = new TelemetryPolicy({
    samplePeriodMs: 5,
    highFreqThresholdPercent: 1,
    promoteTriggers: PromoteTriggers.all,
  });
  const collector = new TelemetryCollector(policy, { engine });

  it('is told what ended the session, each once and after the call, by every way to listen', async () => {
    using burner = startBurner();
    const budget = new BudgetTracker({ cpuMs: 20 });
    const handle = collector.start('late', burner.pid, { budget, onExhausted: 'kill' });
    expect(handle.snapshot()).toMatchObject({ stopReason: null });
    await ended(handle);
    const log: string[] = [];
    handle.on('exhausted', ({ resource }) => log.push(`on ${resource}`));
    handle.addListener('exhausted', () => log.push('addListener'));
    handle.prependListener('exhausted', () => log.push('prependListener'));
    handle.once('exhausted', () => log.push('once'));
    handle.prependOnceListener('exhausted', () => log.push('prependOnceListener'));
    const removed = () => log.push('removed');
    handle.on('exhausted', removed).off('exhausted', removed);
    handle.on('stopped', ({ reason }) => log.push(reason));
    expect(log).toEqual([]);
    expect(handle.listenerCount('exhausted')).toBe(5);
    expect(await once(handle, 'exit')).toMatchObject([
      { frame: { o11yFlags: { terminal: true } } },
    ]);
    const all = ['on cpuMs', 'addListener', 'prependListener', 'once', 'prependOnceListener'];
    expect(log).toEqual([...all, 'exhausted']);
    expect(handle.listenerCount('exhausted')).toBe(3);
    expect(handle.snapshot()).toMatchObject({
      stopReason: 'exhausted',
      exhausted: { resource: 'cpuMs', limit: 20, action: 'kill' },
    });
    await handle.stop();
    expect(log.length).toBe(all.length + 1);
  });

  it('is told of thresholds, promotions and warnings that nobody had listened to', async () => {
    using burner = startBurner();
    const broken: FrameSink = { write: () => Promise.reject(new Error('no room')) };
    const handle = collector.start('late', burner.pid, {
      budget: new BudgetTracker({ cpuMs: 1_000 }),
      recorder: broken,
      tripwires: [{ metric: 'cpuNs', atLeast: 1 }],
    });
    await until(() => handle.snapshot().highFreqActive && handle.seq > 20);
    await handle.stop();
    const log: string[] = [];
    handle.on('threshold', ({ metric, resource }) => log.push(`${metric ?? resource}`));
    handle.once('warning', ({ code }) => log.push(code));
    handle.once('promoted', ({ trigger }) => log.push(trigger));
    handle.on('stopped', ({ reason }) => log.push(reason));
    await once(handle, 'stopped');
    expect(log.sort()).toEqual(['ERR_SINK_FAILED', 'budgetThreshold', 'cpuMs', 'cpuNs', 'stop']);
  });

  it('reads all frames of a session that has ended, and an aborted signal ends it', async () => {
    using burner = startBurner();
    const abort = new AbortController();
    const handle = collector.start('late', burner.pid, { signal: abort.signal });
    abort.abort();
    await ended(handle);
    let frames = 0;
    for await (const batch of handle.frames()) frames += batch.frames.length + batch.missed;
    expect(frames).toBe(handle.seq);
  });
});

const warningOf = (message: string) => [new Error(message)] as never as HandleEvents['warning'];

describe('events that are kept', () => {
  const heard = async (events: KeptEvents, listen: 'on' | 'once' = 'on') => {
    const log: string[] = [];
    events[listen]('warning', ({ message }) => log.push(message));
    await new Promise(setImmediate);
    return log;
  };

  it('are told once, in their order, to the first listener alone', async () => {
    const events = new KeptEvents();
    for (const message of ['a', 'b']) events.emit('warning', ...warningOf(message));
    expect(await heard(events)).toEqual(['a', 'b']);
    expect(await heard(events)).toEqual([]);
  });

  it('are not kept any more once somebody listened', async () => {
    const events = new KeptEvents();
    events.on('warning', () => {}).removeAllListeners();
    events.emit('warning', ...warningOf('unheard'));
    expect(await heard(events)).toEqual([]);
  });

  it('are bounded', async () => {
    const events = new KeptEvents();
    for (let n = 0; n < 1_000; n += 1) events.emit('warning', ...warningOf(String(n)));
    expect(await heard(events)).toEqual([...Array(64).keys()].map(String));
  });

  it('a listener of one event gets the first', async () => {
    const events = new KeptEvents();
    for (const message of ['a', 'b']) events.emit('warning', ...warningOf(message));
    expect(await heard(events, 'once')).toEqual(['a']);
  });

  it('one that is added while the event is told is told too', async () => {
    const events = new KeptEvents();
    const log: string[] = [];
    events.on('stopped', () => {
      log.push('first');
      events.on('stopped', () => log.push('second'));
    });
    events.emit('stopped', {} as never);
    await new Promise(setImmediate);
    expect(log).toEqual(['first', 'second']);
  });
});
