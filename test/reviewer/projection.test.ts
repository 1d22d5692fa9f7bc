/** What a reader makes of a log: all of it, exactly, or an error that says where. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import {
  type ReviewerProjectionFilter,
  ReviewerTelemetryHealth,
  readReviewerProjectionEvents,
} from '../../src/reviewer/index.js';
import { linesOfCommand } from '../support/lines-of-command.js';
import { scratch } from '../support/scratch.js';
import { ENGINES, eventOf, rejection, upTo } from './events.js';

const LOG_PROCESS = new URL('./log-process.mjs', import.meta.url).pathname;
const directory = scratch();
let places = 0;
const newPath = () => {
  const path = join(directory, `place-${places++}`, 'log');
  mkdirSync(dirname(path));
  return path;
};

const lineOf = (seq: number | bigint, more: object = {}) =>
  JSON.stringify(eventOf(Number(seq), more)).replace(`"seq":${Number(seq)}`, `"seq":${seq}`);

interface Files {
  readonly current?: string | Buffer;
  readonly rotated?: string | Buffer;
}

function logOf({ current, rotated }: Files): string {
  const path = newPath();
  if (current !== undefined) writeFileSync(path, current);
  if (rotated !== undefined) writeFileSync(`${path}.1`, rotated);
  return path;
}

async function seqsOf(path: string, filter: Partial<ReviewerProjectionFilter> = {}) {
  const { events } = await readReviewerProjectionEvents(path, { prNumber: 7, ...filter });
  return events.map(({ lifecycle }) => Number(lifecycle.seq));
}

const lines = (...texts: string[]) => texts.map((text) => `${text}\n`).join('');

describe('a projection', () => {
  test('is of what was rotated away and then of the log, in their order', async () => {
    const path = logOf({ rotated: lines(lineOf(1), lineOf(2)), current: lines(lineOf(3)) });
    const { events, latestSeq, health } = await readReviewerProjectionEvents(path, { prNumber: 7 });
    expect(events.map(({ lifecycle }) => lifecycle.seq)).toEqual([1n, 2n, 3n]);
    expect(latestSeq).toBe(3n);
    expect(health).toEqual(ReviewerTelemetryHealth.present(3));
    expect(events[0]).toEqual({
      lifecycle: {
        schema: 'apm2.reviewer.lifecycle_event.v1',
        schemaVersion: 1,
        ts: '2026-11-26T07:00:00Z',
        event: 'run_start',
        reviewType: 'security',
        prNumber: 7,
        headSha: 'abc123',
        seq: 1n,
        runId: null,
        restartCount: null,
        reasonCode: null,
        detail: null,
        extra: {},
      },
      raw: {
        schema: 'apm2.reviewer.lifecycle_event.v1',
        schema_version: 1,
        ts: '2026-11-26T07:00:00Z',
        event: 'run_start',
        review_type: 'security',
        pr_number: 7,
        head_sha: 'abc123',
        seq: 1,
      },
    });
  });

  test('of one file alone is that file', async () => {
    expect(await seqsOf(logOf({ rotated: lines(lineOf(1)) }))).toEqual([1]);
    expect(await seqsOf(logOf({ current: lines(lineOf(2)) }))).toEqual([2]);
  });

  test('of an empty log has nothing, and blocks', async () => {
    const { events, latestSeq, health } = await readReviewerProjectionEvents(
      logOf({ current: '' }),
      { prNumber: 7 },
    );
    expect([events, latestSeq]).toEqual([[], 0n]);
    expect(health.blocksAuthoritativeProgression(true)).toBe(true);
  });

  test('has every digit of a 64-bit seq and of 64-bit values', async () => {
    const seq = 2n ** 64n - 1n;
    const path = logOf({
      current: lines(lineOf(seq).replace('}', ',"at":[9007199254740993]}'), lineOf(2n ** 53n + 1n)),
    });
    const { events, latestSeq } = await readReviewerProjectionEvents(path, { prNumber: 7 });
    expect(latestSeq).toBe(seq);
    expect(events[0]?.lifecycle.seq).toBe(seq);
    expect(events[0]?.raw.seq).toBe(seq);
    expect(events[0]?.lifecycle.extra.at).toEqual([9007199254740993n]);
    expect(events[1]?.lifecycle.seq).toBe(9007199254740993n);
  });

  test.each<[string, Partial<ReviewerProjectionFilter>, number[]]>([
    ['another pull request', { prNumber: 8 }, [4]],
    ['a head in any case', { headSha: 'ABC123' }, [1, 3]],
    ['a head that is none', { headSha: 'abc' }, []],
    ['a time, itself included', { sinceEpoch: 1_795_676_402 }, [2, 3]],
    ['a time within a second', { sinceEpoch: 1_795_676_402.5 }, [3]],
    ['the newest', { maxEvents: 2 }, [2, 3]],
    ['the newest one', { maxEvents: 1 }, [3]],
    ['all of it together', { headSha: 'abC123', sinceEpoch: 1, maxEvents: 1 }, [3]],
  ])('is filtered by %s', async (_what, filter, expected) => {
    const path = logOf({
      rotated: lines(lineOf(1, { ts: '2026-11-26T07:00:01Z' })),
      current: lines(
        lineOf(2, { ts: '2026-11-26T09:00:02+02:00', head_sha: 'def' }),
        lineOf(4, { pr_number: 8, ts: '2026-11-26T07:00:01Z' }),
        lineOf(3, { ts: '2026-11-26T07:00:02.5Z', head_sha: 'AbC123' }),
      ),
    });
    expect(await seqsOf(path, filter)).toEqual(expected);
  });

  test('keeps 400 events, and the latest seq of them all', async () => {
    const seqs = upTo(1_000).map((seq) => (seq === 10 ? 5_000 : seq));
    const path = logOf({ current: lines(...seqs.map((seq) => lineOf(seq))) });
    const { events, latestSeq, health } = await readReviewerProjectionEvents(path, { prNumber: 7 });
    expect(events.map(({ lifecycle }) => Number(lifecycle.seq))).toEqual(upTo(400, 601));
    expect(latestSeq).toBe(5_000n);
    expect(health.lifecycleEvents).toBe(400);
  });

  test('passes over blank lines and what is no lifecycle event, however deep', async () => {
    const deep = `${'['.repeat(3_000)}${']'.repeat(3_000)}`;
    const other = [
      ...['', ' \t\r', '{"event":"other","seq":0}', '{}', '{"event":5}'],
      `{"event":"trace","tree":${deep}}`,
      `{"event":"trace","t":1767600000000000000,"tree":${deep}}`,
      `{"event":"run_start","tree":${deep},"event":"trace","t":1767600000000000000}`,
    ];
    expect(await seqsOf(logOf({ current: lines(...other, lineOf(1), ...other) }))).toEqual([1]);
  });

  test.each<[string, string | Buffer, number[]]>([
    ['cut short', '{"schema":"apm2.rev', [1]],
    ['cut short, with its newline', '{"schema":"apm2.rev\n', [1]],
    ['cut short, with blank lines behind', '{"schema":"apm2.rev\n \n\n', [1]],
    ['cut short within a character', Buffer.from('{"detail":"é').subarray(0, -1), [1]],
    ['whole, without its newline', lineOf(2), [1, 2]],
  ])('of a last line that is %s', async (_what, tail, expected) => {
    const current = Buffer.concat([Buffer.from(lines(lineOf(1))), Buffer.from(tail)]);
    expect(await seqsOf(logOf({ current }))).toEqual(expected);
  });

  test.each<[string, string | Buffer]>([
    ['no JSON', 'nonsense'],
    ['zeros', '\0\0\0\0'],
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['a NUL in a string', '{"event":"\0"}'],
    ['no object', '[1]'],
    ['seq 0', lineOf(0)],
    ['a wrong schema', lineOf(2, { schema: 'apm2.reviewer.lifecycle_event.v2' })],
    ['of another pull request, and wrong', lineOf(2, { pr_number: 2 ** 32 })],
    ['a number that no double holds', lineOf(2).replace('}', ',"x":1e400}')],
    ['nested too deep', `${'['.repeat(300_000)}${']'.repeat(300_000)}`],
    [
      'nested too deep, with many digits',
      lineOf(2).replace(
        '}',
        `,"a":1234567890123456789,"b":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      ),
    ],
    ['more than 4 MiB', lineOf(2, { detail: 'x'.repeat(4 * 1024 * 1024) })],
    ['10 MB', lineOf(2, { detail: 'x'.repeat(10_000_000) })],
  ])('stops at a line that is %s, and says where', async (_what, wrong) => {
    const bytes = Buffer.concat([
      Buffer.from(`${lineOf(1)}\n\n`),
      Buffer.from(wrong),
      Buffer.from('\n'),
    ]);
    const whole = Buffer.concat([bytes, Buffer.from(lines(lineOf(9)))]);
    const malformed = { name: 'ReviewerTelemetryError', code: 'ERR_REVIEWER_MALFORMED', line: 3 };
    const current = logOf({ current: whole });
    expect(await rejection(seqsOf(current))).toMatchObject({ ...malformed, path: current });
    const last = logOf({ current: bytes });
    expect(await rejection(seqsOf(last))).toMatchObject({ ...malformed, path: last });
    const rotated = logOf({ rotated: whole, current: lines(lineOf(10)) });
    expect(await rejection(seqsOf(rotated))).toMatchObject({ ...malformed, path: `${rotated}.1` });
  });

  test('forgives an event cut short only at the end of the log', async () => {
    const cut = '{"schema":"apm2.rev';
    const within = logOf({ current: lines(lineOf(1), cut, lineOf(2)) });
    expect(await rejection(seqsOf(within))).toMatchObject({ path: within, line: 2 });
    const rotated = logOf({ rotated: lines(lineOf(1)) + cut, current: lines(lineOf(2)) });
    expect(await rejection(seqsOf(rotated))).toMatchObject({ path: `${rotated}.1`, line: 2 });
    const swallowed = logOf({ current: lines(lineOf(1), cut + lineOf(2)) });
    expect(await rejection(seqsOf(swallowed))).toMatchObject({ path: swallowed, line: 2 });
  });

  test('of a log that is not there is ERR_REVIEWER_MISSING', async () => {
    const path = newPath();
    const missing = { name: 'ReviewerTelemetryError', code: 'ERR_REVIEWER_MISSING', path };
    expect(await rejection(seqsOf(path))).toMatchObject(missing);
    writeFileSync(path, '');
    expect(await rejection(seqsOf(`${path}/log`))).toMatchObject({ code: 'ERR_REVIEWER_MISSING' });
  });

  test('of what is no file is ERR_REVIEWER_IO', async () => {
    const path = newPath();
    mkdirSync(path);
    const io = { name: 'ReviewerTelemetryError', code: 'ERR_REVIEWER_IO' };
    expect(await rejection(seqsOf(path))).toMatchObject({ ...io, path, errno: 'EISDIR' });
    const fifo = logOf({ current: lines(lineOf(1)) });
    execFileSync('mkfifo', [`${fifo}.1`]);
    expect(await rejection(seqsOf(fifo))).toMatchObject({ ...io, path: `${fifo}.1` });
  });

  test.each<[object, string]>([
    [{ prNumber: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ prNumber: 2 ** 32 }, 'ERR_OUT_OF_RANGE'],
    [{ prNumber: '7' }, 'ERR_INVALID_CONFIG'],
    [{ maxEvents: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ maxEvents: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ sinceEpoch: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ headSha: 5 }, 'ERR_INVALID_CONFIG'],
    [{ signal: {} }, 'ERR_INVALID_CONFIG'],
  ])('refuses the filter %j', async (filter, code) => {
    expect(await rejection(seqsOf(newPath(), filter))).toMatchObject({ code });
  });

  test.each<[string, Files]>([
    ['an event', { current: lines(lineOf(1)) }],
    ['blank lines', { current: '\n\n' }],
    ['nothing', { current: '' }],
    ['what is malformed', { rotated: 'nonsense\n', current: '' }],
    ['no file', {}],
  ])('of a log with %s ends with the reason of its signal', async (_what, files) => {
    const path = logOf(files);
    const reason = new Error('enough');
    expect(await rejection(seqsOf(path, { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  test('ends with the reason of a signal that comes while the log is opened', async () => {
    const path = logOf({ current: 'x'.repeat(5_000_000) });
    const reason = new Error('enough');
    const abort = new AbortController();
    const reading = rejection(seqsOf(path, { signal: abort.signal }));
    abort.abort(reason);
    expect(await reading).toBe(reason);
  });

  test('ends with the reason of a signal that comes while its last lines are read', async () => {
    const path = logOf({ current: '' });
    const reason = new Error('enough');
    const abort = new AbortController();
    const handle = await open(path);
    const prototype: FileHandle = Object.getPrototypeOf(handle);
    await handle.close();
    const read = vi.spyOn(prototype, 'read').mockImplementationOnce(async () => {
      abort.abort(reason);
      return { bytesRead: 0, buffer: Buffer.alloc(0) };
    });
    expect(await rejection(seqsOf(path, { signal: abort.signal }))).toBe(reason);
    read.mockRestore();
  });

  test('fails closed', async () => {
    for (const path of [newPath(), logOf({ current: 'nonsense\n' })]) {
      const health = ReviewerTelemetryHealth.ofError(await rejection(seqsOf(path)));
      expect(health.blocksAuthoritativeProgression(true)).toBe(true);
      expect(health.blocksAuthoritativeProgression(false)).toBe(false);
    }
  });
});

describe.each(ENGINES)('while a writer rotates, engine %s', (engine) => {
  test('a view has every event of both files once', { timeout: 120_000 }, async () => {
    const path = newPath();
    const count = 1_500;
    let acknowledged = 0;
    const options = [engine, path, 2_000, 1, count, 3].map(String);
    let writing = true;
    const ended = linesOfCommand(
      [process.execPath, LOG_PROCESS, 'killed', ...options],
      (line, child) => {
        acknowledged = Math.max(acknowledged, Number(line) - 2);
        if (acknowledged < count - 2) return;
        writing = false;
        child.kill('SIGKILL');
      },
    );
    // Also where the writer fails.
    const watched = ended.finally(() => {
      writing = false;
    });
    let views = 0;
    const begins = new Set<number>();
    while (writing) {
      const before = acknowledged;
      const seqs = await seqsOf(path, { maxEvents: 1_000 }).catch((error) => {
        if (error.code === 'ERR_REVIEWER_MISSING' && before <= 0) return [];
        throw error;
      });
      // The appends of one turn may come in any order, but the writer's calls did not.
      expect(seqs).toEqual(upTo(seqs.length, seqs[0]));
      if (before > 0) expect(seqs.at(-1)).toBeGreaterThanOrEqual(before);
      begins.add(seqs[0] ?? 0);
      views += 1;
    }
    await watched;
    expect(views).toBeGreaterThan(10);
    // It did rotate meanwhile.
    expect(begins.size).toBeGreaterThan(5);
  });
});

test('a rotation between two opens is noticed', async () => {
  const path = logOf({ rotated: lines(lineOf(1)), current: lines(lineOf(2)) });
  let rotations = 0;
  const views: number[][] = [];
  // Renames as often as the loop turns, whatever the reader has just opened.
  const rotate = async () => {
    while (rotations < 300) {
      renameSync(path, `${path}.1`);
      writeFileSync(path, lines(lineOf(rotations + 3)));
      rotations += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const rotating = rotate();
  while (rotations < 300) views.push(await seqsOf(path));
  await rotating;
  // The new file may be there before its event is.
  for (const view of views) expect([upTo(1, view[0]), upTo(2, view[0])]).toContainEqual(view);
});

test('a large log is read in bounded memory', async () => {
  const path = newPath();
  const line = `${lineOf(1, { detail: 'the workload was killed by its budget' })}\n`;
  const chunk = Buffer.from(line.repeat(4_000));
  const megabytes = 200;
  for (let written = 0; written < megabytes * 1024 * 1024; written += chunk.length) {
    writeFileSync(path, chunk, { flag: 'a' });
  }
  const script = `
    import { readReviewerProjectionEvents } from 'episcope';
    const { events } = await readReviewerProjectionEvents(process.argv[1], { prNumber: 7 });
    console.log(events.length);
    console.log(process.resourceUsage().maxRSS / 1024);`;
  const command = [process.execPath, '--input-type=module', '--eval', script, path] as const;
  const { lines: told } = await linesOfCommand([...command]);
  expect(told[0]).toBe('400');
  expect(Number(told[1])).toBeLessThan(megabytes / 2);
}, 120_000);
