/** What a writer promises, by the addon and without it. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  appendReviewerEventNdjson,
  readReviewerProjectionEvents,
} from '../../src/reviewer/index.js';
import {
  ReviewerTelemetryWriter,
  type ReviewerTelemetryWriterOptions,
} from '../../src/reviewer/writer.js';
import { linesOfCommand } from '../support/lines-of-command.js';
import { scratch } from '../support/scratch.js';
import { allSeqs, ENGINES, eventOf, rejection, seqsIn, textOf, upTo } from './events.js';

const LOG_PROCESS = new URL('./log-process.mjs', import.meta.url).pathname;
const directory = scratch();
let places = 0;
const newPath = () => join(directory, `place-${places++}`, 'log.ndjson');
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('not root: full and read-only file systems are left to the guest');

describe.each(ENGINES)('a writer, engine %s', (engine) => {
  const writerAt = (path: string, options: ReviewerTelemetryWriterOptions = {}) =>
    new ReviewerTelemetryWriter(path, { singleProcess: true, ...options }, engine);
  const inProcess = (task: string, path: string, ...rest: (string | number)[]) =>
    linesOfCommand([process.execPath, LOG_PROCESS, task, engine, path, ...rest.map(String)]);

  test('makes the directories above; the line is there when the promise resolves', async () => {
    const path = newPath();
    const writer = writerAt(path);
    await writer.append(eventOf(1));
    expect(textOf(path)).toBe(
      '{"schema":"apm2.reviewer.lifecycle_event.v1","schema_version":1,"ts":"2026-11-26T07:00:00Z","event":"run_start","review_type":"security","pr_number":7,"head_sha":"abc123","seq":1}\n',
    );
    await writer.append({ event: 'other', b: 1n << 62n, a: [1.5, null] });
    expect(textOf(path).split('\n')[1]).toBe(
      '{"event":"other","b":4611686018427387904,"a":[1.5,null]}',
    );
  });

  test('keeps the order of the calls, also of two writers of one log and of one-offs', async () => {
    const path = newPath();
    const writers = [writerAt(path), writerAt(path, { rotateBytes: 1_000_000 })];
    await Promise.all(upTo(300).map((seq) => writers[seq % 2]?.append(eventOf(seq))));
    expect(seqsIn(path)).toEqual(upTo(300));
  });

  test('takes the event as it is at the call', async () => {
    const path = newPath();
    const event = eventOf(1, { list: [1] });
    const written = writerAt(path).append(event);
    event.seq = 2;
    (event.list as number[]).push(2);
    await written;
    expect(textOf(path)).toContain('"seq":1,"list":[1]}');
  });

  test('a typed event is held to the same, and its line says the same', async () => {
    const path = newPath();
    const writer = writerAt(path);
    const typed = {
      ts: '2026-11-26T07:00:00Z',
      event: 'run_crash',
      reviewType: ' quality ',
      prNumber: 7,
      headSha: 'abc123',
      seq: 2n ** 64n - 1n,
      extra: { z: 1, a: { b: 2 } },
    } as const;
    await writer.appendLifecycleEvent(typed);
    expect(textOf(path)).toContain(
      '"review_type":"quality","pr_number":7,"head_sha":"abc123","seq":18446744073709551615,"reason_code":"run_crash","a":{"b":2},"z":1}\n',
    );
    for (const wrong of [{ seq: 0 }, { extra: { seq: 1 } }, { event: 'other' }, { schema: 'x' }]) {
      const event = { ...typed, ...wrong } as never;
      expect(await rejection(writer.appendLifecycleEvent(event))).toMatchObject({
        name: 'ReviewerTelemetryError',
        code: 'ERR_REVIEWER_INVALID_EVENT',
      });
    }
    expect(await rejection(writer.appendLifecycleEvent(null as never))).toMatchObject({
      code: 'ERR_REVIEWER_INVALID_EVENT',
    });
  });

  test.each([
    ['no event', 5, 'ERR_REVIEWER_INVALID_EVENT'],
    ['an array', [eventOf(1)], 'ERR_REVIEWER_INVALID_EVENT'],
    ['no seq', eventOf(0), 'ERR_REVIEWER_INVALID_EVENT'],
    ['NaN', eventOf(1, { load: Number.NaN }), 'ERR_REVIEWER_SERIALIZE'],
    ['10 MB', eventOf(1, { detail: 'x'.repeat(10_000_000) }), 'ERR_REVIEWER_SERIALIZE'],
  ])('%s is refused, and no file is made', async (_what, value, code) => {
    const path = newPath();
    expect(await rejection(writerAt(path).append(value))).toMatchObject({ code });
    expect(existsSync(dirname(path))).toBe(false);
  });

  test('a line of 4 MiB is the longest', async () => {
    const path = newPath();
    const writer = writerAt(path);
    await writer.append(eventOf(1, { detail: '' }));
    const room = 4 * 1024 * 1024 - (textOf(path).length - 1);
    await writer.append(eventOf(1, { detail: 'é'.repeat(room / 2) + 'x'.repeat(room % 2) }));
    const tooLong = writer.append(eventOf(1, { detail: 'x'.repeat(room + 1) }));
    expect(await rejection(tooLong)).toMatchObject({ code: 'ERR_REVIEWER_SERIALIZE' });
    expect(seqsIn(path)).toEqual([1, 1]);
  });

  // As a model that does one thing after another; whatever goes out together must leave the same files.
  test('a log becomes .1 before the event after the one that exceeded rotateBytes', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 30 });
    const check = async (details: number[], rotateBytes: number, together: boolean) => {
      const path = newPath();
      const writer = writerAt(path, { rotateBytes });
      const events = details.map((bytes, index) =>
        eventOf(index + 1, { detail: 'x'.repeat(bytes) }),
      );
      if (together) await Promise.all(events.map((event) => writer.append(event)));
      else for (const event of events) await writer.append(event);
      const files: number[][] = [[], []];
      let size = 0;
      for (const [index, bytes] of details.entries()) {
        if (size > rotateBytes) {
          files.shift();
          files.push([]);
          size = 0;
        }
        files.at(-1)?.push(index + 1);
        size += 190 + String(index + 1).length + 1 + bytes;
      }
      expect([seqsIn(`${path}.1`), seqsIn(path)]).toEqual(
        files.length === 2 ? files : [[], files[0]],
      );
    };
    // The model's length of a line is the writer's.
    const path = newPath();
    await writerAt(path).append(eventOf(1, { detail: '' }));
    expect(textOf(path).length).toBe(190 + 1 + 1);
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 3_000 }), fc.boolean(), check),
      { numRuns: 30 },
    );
  });

  test.each([
    ['an event cut short', '{"schema":"apm2.rev', ''],
    ['within a character', '{"detail":"\u00e9', ''],
    ['a whole one without its newline', '{"event":"x","n":1}', '{"event":"x","n":1}\n'],
    ['zeros', '\0\0\0\0', ''],
    ['one longer than any chunk', `{"detail":"${'x'.repeat(150_000)}`, ''],
    ['an event cut short with its newline', '{"schema":"apm2.rev\n', ''],
    ['a whole one longer than any chunk', `{"d":"${'x'.repeat(150_000)}"}`, null],
    ['an event cut short behind blanks', ' \t\r{"schema":"a', ''],
    ['an event cut short behind blanks, with its newline', ' {"schema":"a\n', ''],
    ['an event cut short before blank lines', '{"schema":"apm\n\n \t\r\n', ''],
    ['an event cut short before blanks', '{"schema":"apm\n ', ''],
    ['an event cut short among blank lines', '\n \n{"schema":"apm\n\n', '\n \n'],
    ['blank lines', '\n \t\r\n', '\n \t\r\n'],
    ['a whole one before blank lines', '{"event":"x"}\n\n \n', '{"event":"x"}\n\n \n'],
    ['a whole one behind blanks', ' {"event":"x"}', ' {"event":"x"}\n'],
    ['blanks', '  ', '  \n'],
  ])('a tail that a crash left is mended first: %s', async (what, tail, left) => {
    const path = newPath();
    const writer = writerAt(path);
    await writer.append(eventOf(1));
    const before = textOf(path);
    const bytes = Buffer.from(tail);
    writeFileSync(path, what === 'within a character' ? bytes.subarray(0, -1) : bytes, {
      flag: 'a',
    });
    await writer.append(eventOf(2));
    const after = before.replace('"seq":1', '"seq":2');
    expect(textOf(path)).toBe(before + (left ?? `${tail}\n`) + after);
  });

  test('PROPERTY: of what a reader forgives a writer makes what a reader takes', async () => {
    const blanks = fc.string({ unit: fc.constantFrom(' ', '\t', '\r', '\n') });
    const whole = JSON.stringify(eventOf(5, { detail: '\u00e9"\\', list: [{ a: -1.5e3 }] }));
    const begun = fc.nat(whole.length).map((length) => whole.slice(0, length));
    const anything = fc.string({ unit: fc.constantFrom(...'{}[]",:\\ tfn19.x\n\r\t') });
    const tail = fc
      .tuple(blanks, fc.oneof(begun, anything), fc.constantFrom('', '\n'), blanks)
      .map((parts) => parts.join(''));
    const path = newPath();
    const writer = writerAt(path);
    await writer.append(eventOf(1));
    const first = textOf(path);
    const seqs = async () => {
      const { events } = await readReviewerProjectionEvents(path, { prNumber: 7 });
      return events.map(({ lifecycle }) => Number(lifecycle.seq));
    };
    let forgiven = 0;
    const check = async (end: string) => {
      writeFileSync(path, first + end);
      const before = await seqs().catch(() => null);
      if (before === null) return;
      forgiven += 1;
      await writer.append(eventOf(9));
      expect(await seqs()).toEqual([...before, 9]);
    };
    await fc.assert(fc.asyncProperty(tail, check), { numRuns: 250 });
    expect(forgiven).toBeGreaterThan(50);
  });

  test('a file that is no log is not touched', async () => {
    const path = newPath();
    mkdirSync(dirname(path));
    for (const text of ['host.example', 'first note\nsecond note', '{"a":1}\nnote']) {
      writeFileSync(path, text);
      expect(await rejection(writerAt(path).append(eventOf(1)))).toMatchObject({
        code: 'ERR_REVIEWER_MALFORMED',
        path,
      });
      expect(textOf(path)).toBe(text);
    }
  });

  test('a link is refused by writers and readers: nobody knows which files are beside it', async () => {
    const path = newPath();
    await writerAt(path).append(eventOf(1));
    symlinkSync('log.ndjson', `${path}.link`);
    const linked = { code: 'ERR_REVIEWER_IO', errno: 'ELOOP', path: `${path}.link` };
    expect(await rejection(writerAt(`${path}.link`).append(eventOf(2)))).toMatchObject(linked);
    const read = readReviewerProjectionEvents(`${path}.link`, { prNumber: 7 });
    expect(await rejection(read)).toMatchObject(linked);
    expect(seqsIn(path)).toEqual([1]);
    // Of the directories on the way any may be one.
    symlinkSync(dirname(path), `${dirname(path)}-link`);
    await writerAt(join(`${dirname(path)}-link`, 'log.ndjson')).append(eventOf(3));
    expect(seqsIn(path)).toEqual([1, 3]);
  });

  test('the log and .1 may be names of one file', async () => {
    const path = newPath();
    const writer = writerAt(path, { rotateBytes: 1 });
    await writer.append(eventOf(1));
    linkSync(path, `${path}.1`);
    await writer.append(eventOf(2));
    expect([seqsIn(`${path}.1`), seqsIn(path)]).toEqual([[1], [2]]);
  });

  test('others may truncate, replace or remove the log between appends', async () => {
    const path = newPath();
    const writer = writerAt(path);
    await writer.append(eventOf(1));
    truncateSync(path, 10);
    await writer.append(eventOf(2));
    expect(seqsIn(path)).toEqual([2]);
    renameSync(path, `${path}.old`);
    await writer.append(eventOf(3));
    expect(seqsIn(path)).toEqual([3]);
    rmSync(path);
    await writer.append(eventOf(4));
    expect(seqsIn(path)).toEqual([4]);
  });

  test('a hundred appends may share one signal', async () => {
    const path = newPath();
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const writer = writerAt(path);
    const { signal } = new AbortController();
    await Promise.all(upTo(100).map((seq) => writer.append(eventOf(seq), { signal })));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    expect(seqsIn(path)).toEqual(upTo(100));
  });

  test('a directory, a FIFO or a device in its place is told, and once it is gone all goes on', async () => {
    const path = newPath();
    mkdirSync(path, { recursive: true });
    const writer = writerAt(path);
    const io = { name: 'ReviewerTelemetryError', code: 'ERR_REVIEWER_IO', path, file: path };
    expect(await rejection(writer.append(eventOf(1)))).toMatchObject({ ...io, errno: 'EISDIR' });
    execFileSync('rmdir', [path]);
    execFileSync('mkfifo', [path]);
    expect(await rejection(writer.append(eventOf(2)))).toMatchObject(io);
    execFileSync('rm', [path]);
    const device = writerAt('/dev/full', { lockPath: `${path}.lock` });
    expect(await rejection(device.append(eventOf(3)))).toMatchObject({
      ...io,
      path: '/dev/full',
      file: '/dev/full',
    });
    await writer.append(eventOf(4));
    expect(seqsIn(path)).toEqual([4]);
  });

  test('a directory in the place of .1 is told, and nothing is lost', async () => {
    const path = newPath();
    mkdirSync(`${path}.1/x`, { recursive: true });
    const writer = writerAt(path, { rotateBytes: 1 });
    await writer.append(eventOf(1));
    expect(await rejection(writer.append(eventOf(2)))).toMatchObject({
      code: 'ERR_REVIEWER_IO',
      file: `${path}.1`,
      errno: 'EISDIR',
    });
    expect(seqsIn(path)).toEqual([1]);
  });

  test('a path through a file is told', async () => {
    const path = newPath();
    await writerAt(path).append(eventOf(1));
    expect(await rejection(writerAt(`${path}/log`).append(eventOf(2)))).toMatchObject({
      code: 'ERR_REVIEWER_IO',
      errno: 'ENOTDIR',
    });
  });

  test('what does not fit is told to whom it concerns, and leaves nothing', async () => {
    const path = newPath();
    const { lines } = await inProcess('limited', path);
    expect(lines).toEqual(['written', 'ERR_REVIEWER_IO EFBIG', 'ERR_REVIEWER_IO EFBIG', 'written']);
    expect(seqsIn(path)).toEqual([1, 2, 5]);
  });

  test.skipIf(!isRoot)('a full disk is told, and once there is room all goes on', async () => {
    const { lines } = await onFileSystem('tmpfs -o size=64k', ['full', engine]);
    expect(lines.slice(0, 6)).toEqual([
      'written',
      'written',
      'written',
      'ERR_REVIEWER_IO ENOSPC',
      'ERR_REVIEWER_IO ENOSPC',
      'written',
    ]);
    expect(lines.slice(6).map((line) => JSON.parse(line).seq)).toEqual([1, 2, 3, 6]);
  });

  test.skipIf(!isRoot)('a file system that may only be read is told', async () => {
    const { lines } = await onFileSystem('tmpfs -o ro', ['readOnly', engine]);
    expect(lines).toEqual(['ERR_REVIEWER_IO EROFS']);
  });

  test('a process does not end before what it appended is on disk', async () => {
    const path = newPath();
    await inProcess('unawaited', path);
    expect(seqsIn(path)).toEqual(upTo(20));
  });

  test('what was aborted before the call is not written', async () => {
    const path = newPath();
    const reason = new Error('enough');
    const append = writerAt(path).append(eventOf(1), { signal: AbortSignal.abort(reason) });
    expect(await rejection(append)).toBe(reason);
    expect(existsSync(dirname(path))).toBe(false);
  });

  test('what is aborted or too late is either written or told, never both', async () => {
    const path = newPath();
    const writer = writerAt(path);
    const abort = new AbortController();
    const appends = upTo(60).map((seq) =>
      rejection(writer.append(eventOf(seq), seq % 2 === 0 ? { signal: abort.signal } : {})),
    );
    abort.abort(new Error('enough'));
    const ends = await Promise.all(appends);
    await writer.append(eventOf(61));
    const told = upTo(60).filter((_, index) => ends[index] !== null);
    expect(seqsIn(path)).toEqual(upTo(61).filter((seq) => !told.includes(seq)));
    expect(told.every((seq) => seq % 2 === 0)).toBe(true);
  });

  test('leaves no other files', async () => {
    const path = newPath();
    const writer = writerAt(path, { rotateBytes: 500 });
    await Promise.all(upTo(4).map((seq) => writer.append(eventOf(seq))));
    await rejection(writer.append(5));
    const lock = engine === 'native' ? ['log.ndjson.lock'] : [];
    expect(readdirSync(dirname(path)).sort()).toEqual(['log.ndjson', 'log.ndjson.1', ...lock]);
    expect(allSeqs(path)).toEqual(upTo(4));
  });
});

test.each([
  ['the path', 5, {}],
  ['the path', '', {}],
  ['the path', 'a\0b', {}],
  ['the path', 'directory/', {}],
  ['the options', 'x', null],
  ['lockPath', 'x', { lockPath: '' }],
  ['lockPath', 'x', { lockPath: './x' }],
  ['lockPath', 'x', { lockPath: 'x.1' }],
  ['rotateBytes', 'x', { rotateBytes: '1' }],
  ['singleProcess', 'x', { singleProcess: 1 }],
])('%s must be what it is: %j, %j', (_what, path, options) => {
  expect(() => new ReviewerTelemetryWriter(path as string, options as object)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
  );
});

test.each([
  { rotateBytes: 0 },
  { rotateBytes: -1 },
  { rotateBytes: 1.5 },
  { timeoutMs: 0 },
  { timeoutMs: 2 ** 31 },
])('%j is out of range', (options) => {
  expect(() => new ReviewerTelemetryWriter('x', options)).toThrow(RangeError);
});

test('a signal must be one', async () => {
  const append = appendReviewerEventNdjson(newPath(), eventOf(1), { signal: 5 as never });
  expect(await rejection(append)).toMatchObject({ code: 'ERR_INVALID_CONFIG' });
  const writer = new ReviewerTelemetryWriter(newPath());
  expect(await rejection(writer.append(eventOf(1), null as never))).toMatchObject({
    code: 'ERR_INVALID_CONFIG',
  });
});

test('without the addon what was not synced is taken back, and may be appended again', async () => {
  const path = newPath();
  const writer = new ReviewerTelemetryWriter(path, { singleProcess: true }, 'js');
  await writer.append(eventOf(1));
  const handle = await open(path);
  const datasync = vi.spyOn(Object.getPrototypeOf(handle), 'datasync');
  await handle.close();
  datasync.mockRejectedValueOnce(Object.assign(new Error('EIO'), { code: 'EIO' }));
  const failed = [writer.append(eventOf(2)), writer.append(eventOf(3))].map(rejection);
  const io = { code: 'ERR_REVIEWER_IO', errno: 'EIO' };
  expect(await Promise.all(failed)).toMatchObject([io, io]);
  datasync.mockRestore();
  expect(seqsIn(path)).toEqual([1]);
  await writer.append(eventOf(2));
  expect(seqsIn(path)).toEqual([1, 2]);
});

test('without the addon a full log that cannot be synced is not moved away', async () => {
  const path = newPath();
  const writer = new ReviewerTelemetryWriter(path, { singleProcess: true, rotateBytes: 1 }, 'js');
  await writer.append(eventOf(1));
  const handle = await open(path);
  const datasync = vi.spyOn(Object.getPrototypeOf(handle), 'datasync');
  await handle.close();
  datasync.mockRejectedValueOnce(Object.assign(new Error('EIO'), { code: 'EIO' }));
  const io = { code: 'ERR_REVIEWER_IO', errno: 'EIO', file: path };
  expect(await rejection(writer.append(eventOf(2)))).toMatchObject(io);
  datasync.mockRestore();
  expect([existsSync(`${path}.1`), seqsIn(path)]).toEqual([false, [1]]);
  await writer.append(eventOf(2));
  expect([seqsIn(`${path}.1`), seqsIn(path)]).toEqual([[1], [2]]);
});

test('without the addon nothing is lost where one thread has several names of a log', async () => {
  const real = dirname(newPath());
  mkdirSync(real);
  symlinkSync(real, `${real}-link`);
  // Whose directory is not there yet.
  const names = [`${real}/a/log`, `${real}-link/a/log`, `${real}-link/./a/../a/log`];
  const writers = names.map(
    (path) => new ReviewerTelemetryWriter(path, { singleProcess: true }, 'js'),
  );
  await Promise.all(upTo(300).map((seq) => writers[seq % 3]?.append(eventOf(seq))));
  const seqs = seqsIn(`${real}/a/log`);
  expect([...seqs].sort((a, b) => a - b)).toEqual(upTo(300));
});

test('one event without a writer', async () => {
  const path = newPath();
  await appendReviewerEventNdjson(path, eventOf(1));
  await appendReviewerEventNdjson(path, eventOf(2), { rotateBytes: 1, lockPath: `${path}.other` });
  expect([seqsIn(`${path}.1`), seqsIn(path)]).toEqual([[1], [2]]);
  expect(existsSync(`${path}.other`)).toBe(true);
});

test('without the addon a writer must be asked for a single process', async () => {
  const path = newPath();
  const script = `
    import { ReviewerTelemetryWriter, readReviewerProjectionEvents } from 'episcope';
    const path = process.argv[1];
    try { new ReviewerTelemetryWriter(path); } catch ({ code }) { console.log(code); }
    const writer = new ReviewerTelemetryWriter(path, { singleProcess: true });
    await writer.append(JSON.parse(process.argv[2]));
    const { latestSeq } = await readReviewerProjectionEvents(path, { prNumber: 7 });
    console.log(String(latestSeq));`;
  const { lines } = await linesOfCommand([
    process.execPath,
    '--no-addons',
    '--input-type=module',
    '--eval',
    script,
    path,
    JSON.stringify(eventOf(3)),
  ]);
  expect(lines).toEqual(['ERR_REVIEWER_LOCK', '3']);
});

/** On a file system in a mount namespace of the child's own: nobody else sees it, and it goes with the child. */
async function onFileSystem(type: string, [task, engine]: [string, string]) {
  const mount = newPath();
  mkdirSync(mount, { recursive: true });
  const command = `mount -t ${type} none "$0" && exec "$@" "$0/log.ndjson"`;
  const node = [process.execPath, LOG_PROCESS, task, engine];
  return linesOfCommand(['unshare', '-m', 'bash', '-c', command, mount, ...node]);
}
