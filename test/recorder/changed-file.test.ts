/** Somebody else truncates, removes, renames, replaces or writes to the file that is recorded into. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FrameRecorder, type FrameRecorderOptions } from '../../src/recorder/index.js';
import { scratch } from '../support/scratch.js';
import {
  endEntry,
  framesEntry,
  framesFrom,
  jsonLines,
  openFiles,
  readBack,
  rejectionOf,
  seqsOf,
  startEntry,
} from './entries.js';

const directory = scratch();
let places = 0;
function newPath(): string {
  const own = join(directory, `place-${places++}`);
  mkdirSync(own);
  return join(own, 'recording');
}
const upTo = (end: number, from = 0) => Array.from({ length: end - from }, (_, i) => from + i);
const changed = (path: string, was: string) => ({
  name: 'RecordingError',
  code: 'ERR_RECORDING_CHANGED',
  file: path,
  message: `${path} was ${was} by somebody else; the recording goes on with a new header`,
});

/** A recorder that has written frames 0 to 3. */
async function begun(path: string, options: FrameRecorderOptions = {}): Promise<FrameRecorder> {
  const recorder = new FrameRecorder(path, options);
  await recorder.write(startEntry());
  await recorder.write(framesEntry(framesFrom(0, 2)));
  await recorder.write(framesEntry(framesFrom(2, 2)));
  return recorder;
}

/** Whole lines, a header first, and no NUL. */
function expectWholeFile(path: string): void {
  const bytes = readFileSync(path);
  expect(bytes.includes(0)).toBe(false);
  expect(bytes.at(-1)).toBe(0x0a);
  expect(jsonLines(path)[0]).toMatchObject({ kind: 'header' });
}

type Change = readonly [what: string, act: (path: string) => void, was: string, read: number[]];

const CHANGES: readonly Change[] = [
  ['truncated to nothing', (path) => truncateSync(path), 'emptied', upTo(8, 4)],
  ['truncated by > file', (path) => writeFileSync(path, ''), 'emptied', upTo(8, 4)],
  [
    'copied to .1 and truncated (copytruncate)',
    (path) => {
      copyFileSync(path, `${path}.1`);
      truncateSync(path);
    },
    'emptied',
    upTo(8),
  ],
  ['removed', (path) => rmSync(path), 'removed', upTo(8, 4)],
  ['renamed to another name', (path) => renameSync(path, `${path}.x`), 'renamed', upTo(8, 4)],
  ['renamed to .1', (path) => renameSync(path, `${path}.1`), 'renamed', upTo(8)],
  [
    'renamed to .1, an empty one made (create)',
    (path) => {
      renameSync(path, `${path}.1`);
      writeFileSync(path, '');
    },
    'renamed',
    upTo(8),
  ],
  [
    'removed with its directory',
    (path) => rmSync(dirname(path), { recursive: true }),
    'removed',
    upTo(8, 4),
  ],
  [
    'moved with its directory',
    (path) => renameSync(dirname(path), `${dirname(path)}.x`),
    'renamed',
    upTo(8, 4),
  ],
  [
    'removed, another name of it is left',
    (path) => {
      linkSync(path, `${path}.x`);
      rmSync(path);
    },
    'renamed',
    upTo(8, 4),
  ],
  [
    'cut within a line',
    (path) => truncateSync(path, statSync(path).size - 10),
    'cut short',
    [0, 1, 2, ...upTo(8, 4)],
  ],
  [
    'cut behind a line',
    (path) => truncateSync(path, readFileSync(path).subarray(0, -1).lastIndexOf('\n') + 1),
    'cut short',
    [0, 1, 2, ...upTo(8, 4)],
  ],
  ['cut within its header', (path) => truncateSync(path, 100), 'cut short', upTo(8, 4)],
];

describe('a recording whose file was changed by somebody else goes on as a whole one', () => {
  test.each(CHANGES)('%s', async (_what, act, was, read) => {
    const path = newPath();
    const recorder = await begun(path);
    act(path);
    // Once, when what there was to write is written.
    const told = await rejectionOf(recorder.write(framesEntry(framesFrom(4, 2))));
    expect(told).toMatchObject(changed(path, was));
    await recorder.write(framesEntry(framesFrom(6, 2)));
    await recorder.write(endEntry());
    expectWholeFile(path);
    const { recording, frames } = await readBack(path);
    expect(seqsOf(frames)).toEqual(read);
    expect(recording.missed).toBe(8 - read.length);
    expect(recording).toMatchObject({ isTorn: false, end: { framesRecorded: 8, framesMissed: 0 } });
  });

  test.each(CHANGES)('again and again: %s', async (_what, act, was) => {
    const path = newPath();
    const recorder = await begun(path, { keepFiles: 20 });
    for (let seq = 4; seq < 12; seq += 2) {
      act(path);
      const told = await rejectionOf(recorder.write(framesEntry(framesFrom(seq, 2))));
      expect(told).toMatchObject(changed(path, was));
      rmSync(`${dirname(path)}.x`, { recursive: true, force: true });
      rmSync(`${path}.x`, { force: true });
    }
    act(path);
    expect(await rejectionOf(recorder.write(endEntry()))).toMatchObject(changed(path, was));
    expectWholeFile(path);
    const { recording, frames } = await readBack(path);
    expect(recording.end).toMatchObject({ framesRecorded: 12, framesMissed: 0 });
    const seqs = seqsOf(frames);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    expect(recording.missed).toBe(12 - seqs.length);
    expect(openFiles()).toEqual([]);
  });

  test.each(CHANGES)('and while it is rotated: %s', async (_what, act) => {
    const path = newPath();
    const recorder = await begun(path, { rotateBytes: 1, keepFiles: 30 });
    act(path);
    expect(await rejectionOf(recorder.write(framesEntry(framesFrom(4, 4))))).toMatchObject({
      code: 'ERR_RECORDING_CHANGED',
    });
    await recorder.write(framesEntry(framesFrom(8, 2)));
    await recorder.write(endEntry());
    const { recording, frames } = await readBack(path);
    const seqs = seqsOf(frames);
    expect(seqs.slice(-6)).toEqual(upTo(10, 4));
    expect(recording.missed).toBe(10 - seqs.length);
    expect(recording.end).not.toBeNull();
  });
});

describe('what somebody else wrote into the file is kept as it is, beside the recording', () => {
  test.each([
    ['a line', 'precious\n', true],
    ['a part of a line', 'precious', true],
    ['instead of what was there', 'precious\n', false],
    ['instead of it, and more', 'precious '.repeat(2_000), false],
  ])('%s', async (_what, text, isAppended) => {
    for (const keepFiles of [0, 1]) {
      const path = newPath();
      const recorder = await begun(path, { keepFiles });
      if (isAppended) appendFileSync(path, text);
      else writeFileSync(path, text);
      const foreign = readFileSync(path);
      const told = await rejectionOf(recorder.write(framesEntry(framesFrom(4, 2))));
      expect(told).toMatchObject({ code: 'ERR_RECORDING_CHANGED' });
      expect(readFileSync(`${path}.1`).equals(foreign)).toBe(true);
      await recorder.write(endEntry());
      expectWholeFile(path);
      const { recording, frames } = await readBack(path);
      expect(seqsOf(frames)).toEqual([4, 5]);
      expect(recording).toMatchObject({ missed: 4, end: { framesRecorded: 6 } });
    }
  });
});

describe('what somebody else put in its place is left alone', () => {
  const precious = join(directory, 'precious');
  writeFileSync(precious, 'precious\n');
  const empty = join(directory, 'empty');
  writeFileSync(empty, '');

  test.each([
    ['another file', (path: string) => copyFileSync(precious, path), 'EEXIST'],
    ['a link to a file', (path: string) => symlinkSync(precious, path), 'ELOOP'],
    ['a link to an empty file', (path: string) => symlinkSync(empty, path), 'ELOOP'],
    ['a link to nothing', (path: string) => symlinkSync('/none', path), 'ELOOP'],
    ['a link to itself', (path: string) => symlinkSync(path, path), 'ELOOP'],
    ['a directory', (path: string) => mkdirSync(path), 'EISDIR'],
    ['a FIFO', (path: string) => execFileSync('mkfifo', [path]), undefined],
  ])('%s: an error each time, and it goes on once that is gone', async (_what, put, errno) => {
    const path = newPath();
    const recorder = await begun(path);
    rmSync(path);
    put(path);
    const { ino } = lstatSync(path);
    for (const seq of [4, 5]) {
      const error = await rejectionOf(recorder.write(framesEntry(framesFrom(seq, 1))));
      expect(error).toMatchObject({ code: 'ERR_RECORDING_IO', file: path });
      expect((error as { errno?: string }).errno).toBe(errno);
    }
    expect(lstatSync(path).ino).toBe(ino);
    expect(existsSync(`${path}.1`)).toBe(false);
    expect(readFileSync(precious, 'utf8')).toBe('precious\n');
    expect(readFileSync(empty, 'utf8')).toBe('');
    rmSync(path, { recursive: true });
    const told = await rejectionOf(recorder.write(framesEntry(framesFrom(6, 2))));
    expect(told).toMatchObject({ code: 'ERR_RECORDING_CHANGED' });
    await recorder.write(endEntry());
    const { recording, frames } = await readBack(path);
    expect(seqsOf(frames)).toEqual([6, 7]);
    expect(recording).toMatchObject({ missed: 6, end: { framesRecorded: 6, framesMissed: 2 } });
  });

  test('its directory replaced by a file', async () => {
    const path = newPath();
    const recorder = await begun(path);
    rmSync(dirname(path), { recursive: true });
    writeFileSync(dirname(path), 'precious');
    expect(await rejectionOf(recorder.write(endEntry()))).toMatchObject({
      code: 'ERR_RECORDING_IO',
      errno: 'ENOTDIR',
    });
    expect(readFileSync(dirname(path), 'utf8')).toBe('precious');
    expect(openFiles()).toEqual([]);
  });

  test('a second recorder at the path takes over, and the first one harms nothing', async () => {
    const path = newPath();
    const first = await begun(path);
    const second = await begun(path, { keepFiles: 3 });
    expect(await rejectionOf(first.write(framesEntry(framesFrom(4, 2))))).toMatchObject({
      code: 'ERR_RECORDING_IO',
      errno: 'EEXIST',
    });
    await second.write(framesEntry(framesFrom(4, 2)));
    await second.write(endEntry());
    expect(seqsOf((await readBack(path)).frames)).toEqual(upTo(6));
    expect(seqsOf((await readBack(`${path}.1`)).frames)).toEqual(upTo(4));
    await first.close();
  });
});

describe('a further name', () => {
  test('of the file changes nothing', async () => {
    const path = newPath();
    const recorder = await begun(path);
    linkSync(path, join(dirname(path), 'copy'));
    await recorder.write(framesEntry(framesFrom(4, 2)));
    await recorder.write(endEntry());
    expect(seqsOf((await readBack(path)).frames)).toEqual(upTo(6));
  });

  test.each([1, 2])(
    '.1 of the file itself is no obstacle to a rotation: keepFiles %d',
    async (keepFiles) => {
      const path = newPath();
      const recorder = await begun(path, { rotateBytes: 6_000, keepFiles });
      linkSync(path, `${path}.1`);
      await recorder.write(framesEntry(framesFrom(4, 6)));
      await recorder.write(endEntry());
      const { recording, frames } = await readBack(path);
      expect(seqsOf(frames).at(-1)).toBe(9);
      expect(recording.missed + frames.length).toBe(10);
      for (const name of [path, `${path}.1`]) expectWholeFile(name);
    },
  );

  test('.1 that was removed is made again', async () => {
    const path = newPath();
    const recorder = await begun(path, { rotateBytes: 1, keepFiles: 1 });
    rmSync(`${path}.1`);
    await recorder.write(framesEntry(framesFrom(4, 2)));
    await recorder.write(endEntry());
    const { recording, frames } = await readBack(path);
    expect(seqsOf(frames)).toEqual([5]);
    expect(recording.missed).toBe(5);
  });
});
