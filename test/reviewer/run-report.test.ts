/** The collector writes an episode's notable moments to a reviewer log. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  BudgetTracker,
  type ReviewerRun,
  ReviewerTelemetryWriter,
  readReviewerProjectionEvents,
  type StartOptions,
  TelemetryCollector,
  TelemetryPolicy,
} from '../../src/index.js';
import { until } from '../collector/waiting.js';
import { ENGINES } from '../support/engines.js';
import { scratch } from '../support/scratch.js';

const directory = scratch();
let logs = 0;
const newLog = () => join(directory, `log-${logs++}`);
const policy = TelemetryPolicy.builder().samplePeriodMs(20).memoryStatPeriodMs(0).build();

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

/** A shell that begins when it is told to, so that the session sees all of it. */
function shell(script: string): ChildProcess {
  const child = spawn('sh', ['-c', `read go; ${script}`], { stdio: ['pipe', 'ignore', 'inherit'] });
  children.add(child);
  return child;
}

async function eventsOf(path: string) {
  const { events } = await readReviewerProjectionEvents(path, { prNumber: 7 }).catch(() => ({
    events: [],
  }));
  return events.map(({ lifecycle }) => lifecycle);
}

const textIfThere = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

const kindsOf = async (path: string) => (await eventsOf(path)).map(({ event }) => event);

describe.each(ENGINES)('engine %s', (engine) => {
  const collector = () => new TelemetryCollector(policy, { engine, cgroupRoot: undefined });

  function start(
    child: ChildProcess,
    path: string,
    more: Partial<ReviewerRun> = {},
    options: StartOptions = {},
  ) {
    const handle = collector().start('job', child.pid!, {
      tier: 'proc',
      ...options,
      reviewer: {
        writer: new ReviewerTelemetryWriter(path),
        child,
        reviewType: 'security',
        prNumber: 7,
        headSha: 'abc123',
        ...more,
      },
    });
    child.stdin?.write('go\n');
    return handle;
  }

  test('a run that ends well is run_start and run_complete, with its figures', async () => {
    const path = newLog();
    const child = shell('exit 0');
    const handle = start(child, path, { restartCount: 2 });
    await until(async () => (await kindsOf(path)).length === 2);
    const [begun, complete] = await eventsOf(path);
    expect(begun).toMatchObject({
      event: 'run_start',
      reviewType: 'security',
      headSha: 'abc123',
      seq: 1n,
      runId: 'job',
      restartCount: 2,
      reasonCode: null,
      extra: { episode_id: 'job', pid: child.pid },
    });
    expect(complete).toMatchObject({ event: 'run_complete', seq: 2n, reasonCode: null });
    const terminal = handle.latest();
    expect(complete?.extra).toMatchObject({
      exit_code: 0,
      cpu_ns: terminal?.cpuNs,
      wall_ns: (terminal?.tsMono ?? 0) - handle.startMonoNs,
    });
    // What nobody knows is not there.
    expect(complete?.extra).not.toHaveProperty('term_signal');
    expect(complete?.extra).not.toHaveProperty('oom_kills');
  });

  test.each<readonly [string, string, object]>([
    ['exit 3', 'exit_code_3', { exit_code: 3 }],
    ['kill -SEGV $$', 'SIGSEGV', { term_signal: 'SIGSEGV' }],
    ['kill -KILL $$', 'SIGKILL', { term_signal: 'SIGKILL' }],
    // Without the addon nobody tells of a real-time signal.
    ...(ENGINES.includes('native')
      ? [['kill -35 $$', 'SIGRTMIN+1 (35)', { term_signal: 'SIGRTMIN+1 (35)' }] as const]
      : []),
  ])('%s is run_crash %s', async (script, reasonCode, extra) => {
    const path = newLog();
    start(shell(script), path);
    await until(async () => (await kindsOf(path)).length === 2);
    expect((await eventsOf(path))[1]).toMatchObject({ event: 'run_crash', reasonCode, extra });
  });

  test('killed by its budget it is run_crash budget_exhausted, with the limit', async () => {
    const path = newLog();
    const budget = new BudgetTracker({ cpuMs: 30 });
    start(shell('while :; do :; done'), path, {}, { budget, onExhausted: 'kill' });
    await until(async () => (await kindsOf(path)).length === 2);
    const [, crash] = await eventsOf(path);
    expect(crash).toMatchObject({
      event: 'run_crash',
      reasonCode: 'budget_exhausted',
      extra: { term_signal: 'SIGKILL', exhausted_resource: 'cpu_ms', exhausted_limit: 30 },
    });
    expect(crash?.extra.exhausted_consumed).toBeGreaterThanOrEqual(30);
  });

  test('what goes on after its session is told when it ends', async () => {
    const path = newLog();
    const child = shell('read more; exit 4');
    const handle = start(child, path);
    await handle.stop();
    await until(async () => (await kindsOf(path)).length === 1);
    child.stdin?.write('more\n');
    await until(async () => (await kindsOf(path)).length === 2);
    expect((await eventsOf(path))[1]).toMatchObject({ reasonCode: 'exit_code_4' });
  });

  test('what had ended before its session stopped is told too', async () => {
    const path = newLog();
    const child = shell('exit 5');
    const handle = start(child, path);
    await once(child, 'exit');
    await handle.stop();
    await until(async () => (await kindsOf(path)).length === 2);
    expect((await eventsOf(path))[1]).toMatchObject({ reasonCode: 'exit_code_5' });
  });

  test('an episode that uses nothing is stall_detected, once for each time', async () => {
    const path = newLog();
    const child = shell('read a; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; read b; exit 0');
    start(child, path, { stallAfterMs: 60 });
    const stalls = async () =>
      (await kindsOf(path)).filter((kind) => kind === 'stall_detected').length;
    await until(async () => (await stalls()) === 1);
    child.stdin?.write('a\n');
    await until(async () => (await stalls()) === 2);
    child.stdin?.write('b\n');
    await until(async () => (await kindsOf(path)).at(-1) === 'run_complete');
    const events = await eventsOf(path);
    expect(events.map(({ event }) => event)).toEqual([
      'run_start',
      'stall_detected',
      'stall_detected',
      'run_complete',
    ]);
    const [, stall] = events;
    expect(stall).toMatchObject({ reasonCode: 'stall_detected', seq: 2n });
    expect(stall?.extra.idle_ns).toBeGreaterThanOrEqual(60_000_000);
  });

  test('what is busy is no stall', async () => {
    const path = newLog();
    // Whoever waits for a cpu uses none, and cannot be told from who waits for something else: a second is more than any
    // host with some other busy processes lets it wait.
    const busy = 'end=$(($(date +%s) + 2)); while [ $(date +%s) -le $end ]; do :; done';
    start(shell(busy), path, { stallAfterMs: 1_000 });
    await until(async () => (await kindsOf(path)).at(-1) === 'run_complete');
    expect(await kindsOf(path)).toEqual(['run_start', 'run_complete']);
  });

  test('seq goes on from the log and from session to session, or is the caller’s', async () => {
    const path = newLog();
    await new ReviewerTelemetryWriter(path).append({
      ts: '2026-11-26T07:00:00Z',
      event: 'sha_drift',
      review_type: 'quality',
      pr_number: 7,
      head_sha: 'other',
      seq: 40n + 2n ** 60n,
    });
    for (const length of [3, 5]) {
      start(shell('exit 0'), path);
      await until(async () => (await kindsOf(path)).length === length);
    }
    let own = 100;
    start(shell('exit 0'), path, { nextSeq: () => own++ });
    await until(async () => (await kindsOf(path)).length === 7);
    const seqs = (await eventsOf(path)).map(({ seq }) => (seq > 2n ** 60n ? seq - 2n ** 60n : seq));
    expect(seqs).toEqual([40n, 41n, 42n, 43n, 44n, 100n, 101n]);
  });

  test('seq goes on after what other processes wrote meanwhile, and through a line that is malformed', async () => {
    const path = newLog();
    const writer = new ReviewerTelemetryWriter(path, { rotateBytes: 1_000 });
    const other = (seq: number) =>
      writer.append({
        ts: '2026-11-26T07:00:00Z',
        event: 'sha_drift',
        review_type: 'quality',
        pr_number: 7,
        head_sha: 'other',
        seq,
      });
    const text = () => [`${path}.1`, path].map(textIfThere).join('');
    /** Of its two events. */
    const seqsOfRun = async () => {
      const child = shell('exit 0');
      const own = new RegExp(`"seq":(\\d+),"run_id":"run-${child.pid}"`, 'g');
      const seqs = () => [...text().matchAll(own)].map(([, seq]) => Number(seq));
      start(child, path, { runId: `run-${child.pid}` });
      await until(() => seqs().length === 2);
      return seqs();
    };
    expect(await seqsOfRun()).toEqual([1, 2]);
    await other(50);
    expect(await seqsOfRun()).toEqual([51, 52]);
    appendFileSync(path, 'nonsense\n');
    // Moves the log away on the way.
    for (const seq of [100, 101, 102, 103, 104]) await other(seq);
    expect(await seqsOfRun()).toEqual([105, 106]);
  });

  test('what cannot be written is a warning, and the session goes on', async () => {
    const path = newLog();
    mkdirSync(path);
    const child = shell('exit 0');
    const handle = start(child, path);
    const warnings: unknown[] = [];
    handle.on('warning', (warning) => warnings.push(warning));
    await until(() => warnings.length === 2);
    expect(warnings[0]).toMatchObject({ code: 'ERR_REVIEWER_IO', errno: 'EISDIR' });
    expect(handle.snapshot().stopped).toBe(true);
  });

  test('a nextSeq that throws is a warning', async () => {
    const path = newLog();
    const child = shell('exit 0');
    const cause = new Error('none left');
    const handle = start(child, path, {
      nextSeq: () => {
        throw cause;
      },
    });
    const warnings: unknown[] = [];
    handle.on('warning', (warning) => warnings.push(warning));
    await until(() => warnings.length === 2);
    expect(warnings[0]).toMatchObject({ code: 'ERR_SINK_FAILED', cause });
  });

  test.each<[string, object, string]>([
    [
      'another pid',
      { child: { pid: 1, exitCode: null, signalCode: null, once: () => {} } },
      'ERR_INVALID_CONFIG',
    ],
    ['no child', { child: undefined }, 'ERR_INVALID_CONFIG'],
    ['no writer', { writer: '/tmp/x' }, 'ERR_INVALID_CONFIG'],
    ['a blank review type', { reviewType: ' ' }, 'ERR_REVIEWER_INVALID_EVENT'],
    ['no head', { headSha: '' }, 'ERR_REVIEWER_INVALID_EVENT'],
    ['a pull request beyond 32 bits', { prNumber: 2 ** 32 }, 'ERR_REVIEWER_INVALID_EVENT'],
    ['a stall of no time', { stallAfterMs: 0 }, 'ERR_OUT_OF_RANGE'],
    ['a stall of NaN', { stallAfterMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    ['nextSeq 5', { nextSeq: 5 }, 'ERR_INVALID_CONFIG'],
  ])('%s is refused before anything is opened', (_what, more, code) => {
    const child = shell('exit 0');
    const begin = () => start(child, newLog(), more as Partial<ReviewerRun>);
    expect(begin).toThrow(expect.objectContaining({ code }));
  });

  test('a manual session has no stalls', () => {
    const child = shell('exit 0');
    const begin = () => start(child, newLog(), { stallAfterMs: 100 }, { manual: true });
    expect(begin).toThrow(expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }));
  });

  test('a manual session keeps no process alive', async () => {
    const script = `
      import { spawn } from 'node:child_process';
      import { ReviewerTelemetryWriter, TelemetryCollector } from 'episcope';
      const child = spawn('true');
      new TelemetryCollector(undefined, { engine: process.argv[2] }).start('job', child.pid, {
        tier: 'proc',
        manual: true,
        reviewer: {
          writer: new ReviewerTelemetryWriter(process.argv[1]),
          child, reviewType: 'security', prNumber: 7, headSha: 'a',
        },
      });`;
    const path = newLog();
    const args = ['--input-type=module', '--eval', script, path, engine];
    expect(await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit')).toEqual([
      0,
      null,
    ]);
    expect(await kindsOf(path)).toEqual(['run_start']);
  });

  test('a process does not end before its last event is on disk', async () => {
    const path = newLog();
    const script = `
      import { spawn } from 'node:child_process';
      import { ReviewerTelemetryWriter, TelemetryCollector } from 'episcope';
      const child = spawn('true');
      new TelemetryCollector(undefined, { engine: process.argv[2] }).start('job', child.pid, {
        tier: 'proc',
        reviewer: {
          writer: new ReviewerTelemetryWriter(process.argv[1]),
          child, reviewType: 'security', prNumber: 7, headSha: 'a',
        },
      });`;
    const args = ['--input-type=module', '--eval', script, path, engine];
    const runner = spawn(process.execPath, args, { stdio: 'inherit' });
    expect(await once(runner, 'exit')).toEqual([0, null]);
    expect(readFileSync(path, 'utf8')).toContain('"event":"run_start"');
    expect(await kindsOf(path)).toEqual(['run_start', 'run_complete']);
  });
});
