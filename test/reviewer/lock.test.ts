/** Writers of many processes share a log; whoever holds its lock is waited for, off the event loop. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import type { NativeEventLog } from '../../src/addon/binding.js';
import { loadAddon } from '../../src/addon/load.js';
import { appendReviewerEventNdjson, ReviewerTelemetryWriter } from '../../src/reviewer/index.js';
import { linesOfCommand } from '../support/lines-of-command.js';
import { scratch } from '../support/scratch.js';
import { allSeqs, eventOf, rejection, seqsIn, textOf, upTo } from './events.js';

const LOG_PROCESS = new URL('./log-process.mjs', import.meta.url).pathname;
const directory = scratch();
let places = 0;
const newPath = () => join(directory, `place-${places++}`, 'log.ndjson');

const holders = new Set<ChildProcess>();
afterEach(() => {
  for (const holder of holders) holder.kill('SIGKILL');
});

/** Another process, that knows nothing of us, holds the lock until it is told to let go. */
async function heldByAnother(path: string) {
  mkdirSync(dirname(path), { recursive: true });
  const args = ['--exclusive', `${path}.lock`, 'sh', '-c', 'echo held; read -r _'];
  const holder = spawn('flock', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  holders.add(holder);
  await once(holder.stdout, 'data');
  return async () => {
    holder.stdin.end();
    await once(holder, 'close');
    holders.delete(holder);
  };
}

test('who holds the lock is waited for, while the event loop goes on', async () => {
  const path = newPath();
  const release = await heldByAnother(path);
  const writer = new ReviewerTelemetryWriter(path);
  const appends = upTo(5).map((seq) => writer.append(eventOf(seq)));
  // Turns of the loop, far more than a writer needs that does not wait.
  for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(existsSync(path)).toBe(false);
  await release();
  await Promise.all(appends);
  expect(seqsIn(path)).toEqual(upTo(5));
});

test('a lock that is held for ever is told after timeoutMs, and nothing is written later', async () => {
  const path = newPath();
  const release = await heldByAnother(path);
  const writer = new ReviewerTelemetryWriter(path, { timeoutMs: 60 });
  const lock = {
    name: 'ReviewerTelemetryError',
    code: 'ERR_REVIEWER_LOCK',
    path,
    file: `${path}.lock`,
  };
  expect(await rejection(writer.append(eventOf(1)))).toMatchObject(lock);
  expect(await rejection(writer.append(eventOf(2)))).toMatchObject(lock);
  await release();
  await writer.append(eventOf(3));
  expect(seqsIn(path)).toEqual([3]);
});

test('a file system without such locks is told as that', async () => {
  const path = newPath();
  const errno = constants.errno.ENOLCK;
  // As `event_log_test.cc` has it of the kernel.
  const log: NativeEventLog = {
    append: (_text, _rotateBytes, onEnd) => {
      queueMicrotask(() => onEnd({ fault: 'lock', file: 'lock', errno }));
      return 0;
    },
    cancel: () => 'too-late',
  };
  const opened = vi.spyOn(loadAddon().addon!, 'EventLog').mockImplementationOnce(function open() {
    return log;
  });
  const failed = await rejection(new ReviewerTelemetryWriter(path).append(eventOf(1)));
  opened.mockRestore();
  expect(failed).toMatchObject({
    name: 'ReviewerTelemetryError',
    code: 'ERR_REVIEWER_LOCK',
    errno: 'ENOLCK',
    path,
    file: `${path}.lock`,
  });
});

test('an append that is aborted while it waits is not written; those beside it are', async () => {
  const path = newPath();
  const release = await heldByAnother(path);
  const writer = new ReviewerTelemetryWriter(path);
  const abort = new AbortController();
  const first = writer.append(eventOf(1));
  const second = writer.append(eventOf(2), { signal: abort.signal });
  const third = writer.append(eventOf(3));
  const reason = new Error('enough');
  abort.abort(reason);
  expect(await rejection(second)).toBe(reason);
  await release();
  await Promise.all([first, third]);
  expect(seqsIn(path)).toEqual([1, 3]);
});

test('a process that only waits for a lock it will not get ends by its time limit', async () => {
  const path = newPath();
  const release = await heldByAnother(path);
  const script = `
    import { appendReviewerEventNdjson } from 'episcope';
    await appendReviewerEventNdjson(process.argv[1], { event: 'x' }, { timeoutMs: 50 }).catch(
      ({ code }) => console.log(code),
    );`;
  const { lines } = await linesOfCommand([
    process.execPath,
    '--input-type=module',
    '--eval',
    script,
    path,
  ]);
  expect(lines).toEqual(['ERR_REVIEWER_LOCK']);
  await release();
});

test('however many give up on a lock that is held for ever, one thread waits for it', async () => {
  const path = newPath();
  const release = await heldByAnother(path);
  const waits = () =>
    readdirSync('/proc/self/task').filter((task) => {
      try {
        return readFileSync(`/proc/self/task/${task}/comm`, 'utf8') === 'episcope-log\n';
      } catch {
        return false;
      }
    }).length;
  const others = waits();
  for (let round = 0; round < 8; round += 1) {
    const append = appendReviewerEventNdjson(path, eventOf(1), { timeoutMs: 5 });
    expect(await rejection(append)).toMatchObject({ code: 'ERR_REVIEWER_LOCK' });
  }
  expect(waits()).toBeLessThanOrEqual(others + 1);
  await release();
});

test('a worker that ends while it waits harms nobody', async () => {
  const path = newPath();
  const release = await heldByAnother(path);
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ ReviewerTelemetryWriter }) => {
      void new ReviewerTelemetryWriter(workerData.path).append({ event: 'x' });
      parentPort.postMessage('waits');
    });`;
  const module = new URL('../../dist/index.js', import.meta.url).href;
  const worker = new Worker(script, { eval: true, workerData: { module, path } });
  await once(worker, 'message');
  await worker.terminate();
  await release();
  const writer = new ReviewerTelemetryWriter(path);
  await writer.append(eventOf(1));
  expect(textOf(path)).toContain('"seq":1');
});

test('a lock file that was removed excludes nobody: its writers meet at the new one', async () => {
  const path = newPath();
  const release = await heldByAnother(path);
  const writer = new ReviewerTelemetryWriter(path);
  const waiting = writer.append(eventOf(1));
  renameSync(`${path}.lock`, `${path}.gone`);
  writeFileSync(`${path}.lock`, '');
  await release();
  await waiting;
  const other = await heldByAnother(path);
  const second = writer.append(eventOf(2));
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(seqsIn(path)).toEqual([1]);
  await other();
  await second;
  expect(seqsIn(path)).toEqual([1, 2]);
});

test('of many processes every event is there once, as each appended it, and one rotation', async () => {
  const path = newPath();
  const [processes, count] = [6, 50];
  // 300 events of about 190 bytes: more than one file, not more than two.
  const rotateBytes = 40_000;
  const firstOf = (index: number) => 1_000 + index * count;
  await Promise.all(
    upTo(processes, 0).map((index) =>
      linesOfCommand(
        [
          process.execPath,
          LOG_PROCESS,
          'share',
          'native',
          path,
          rotateBytes,
          firstOf(index),
          count,
        ].map(String) as [string, ...string[]],
      ),
    ),
  );
  const seqs = allSeqs(path);
  expect([...seqs].sort((a, b) => a - b)).toEqual(upTo(processes * count, firstOf(0)));
  for (const index of upTo(processes, 0)) {
    const own = upTo(count, firstOf(index));
    expect(seqs.filter((seq) => own.includes(seq))).toEqual(own);
  }
  const { size } = statSync(`${path}.1`);
  expect(size).toBeGreaterThan(rotateBytes);
  expect(size).toBeLessThan(rotateBytes + 200);
});

test('no descriptor of the log reaches a child', async () => {
  const path = newPath();
  const writer = new ReviewerTelemetryWriter(path);
  await writer.append(eventOf(1));
  const open = execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
  expect(open).not.toContain(directory);
});
