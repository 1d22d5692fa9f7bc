import {
  copyFileSync,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FrameRecorder } from '../../src/recorder/index.js';
import { scratch } from '../support/scratch.js';
import {
  endEntry,
  frameOf,
  framesEntry,
  framesFrom,
  jsonLines,
  readBack,
  rejectionOf,
  seqsOf,
  startEntry,
} from './entries.js';

const directory = scratch();
let recordings = 0;
const newPath = () => join(directory, `recording-${recordings++}.ndjson`);
const ROTATE_BYTES = 6_000;

describe('a recording is bounded', () => {
  test.each([0, 1, 3])(
    'in files and in bytes, and holds its newest frames: keepFiles %d',
    async (keepFiles) => {
      const path = newPath();
      const recorder = new FrameRecorder(path, { rotateBytes: ROTATE_BYTES, keepFiles });
      await recorder.write(startEntry());
      for (let seq = 0; seq < 60; seq += 3) {
        await recorder.write(framesEntry(framesFrom(seq, 3)));
        const files = filesOf(path);
        expect(files.length).toBeLessThanOrEqual(keepFiles + 1);
        for (const file of files) expect(statSync(file).size).toBeLessThanOrEqual(ROTATE_BYTES);
      }
      await recorder.write(endEntry());

      const headers = filesOf(path).map((file) => jsonLines(file)[0]);
      expect(headers).toHaveLength(keepFiles + 1);
      expect(new Set(headers.map((header) => header?.recording_id)).size).toBe(1);
      const newest = Number(headers[0]?.part);
      expect(headers.map((header) => header?.part)).toEqual(headers.map((_, age) => newest - age));

      const { recording, frames } = await readBack(path);
      const seqs = seqsOf(frames);
      expect(seqs.length).toBeGreaterThan(keepFiles);
      expect(seqs).toEqual(seqs.map((_, index) => 60 - seqs.length + index));
      expect(recording.missed).toBe(60 - seqs.length);
      expect(recording.end).toMatchObject({ framesRecorded: 60, framesMissed: 0 });
      expect(recording.header?.part).toBe(newest);
    },
  );

  test('every file has a header and one more line, however small it is to be', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path, { rotateBytes: 1, keepFiles: 100 });
    await recorder.write(startEntry());
    await recorder.write(framesEntry(framesFrom(0, 5), { missed: 0, reason: 'why' }));
    await recorder.write(endEntry());
    expect(filesOf(path).map((file) => jsonLines(file).length)).toEqual(Array(7).fill(2));
    const { recording, frames } = await readBack(path);
    expect(seqsOf(frames)).toEqual([0, 1, 2, 3, 4]);
    expect(recording).toMatchObject({ missed: 0, quarantines: ['why'], isTorn: false });
  });

  test('one entry may fill many files', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path, { rotateBytes: 100_000, keepFiles: 1_000 });
    await recorder.write(startEntry());
    await recorder.write(framesEntry(framesFrom(0, 3_000)));
    await recorder.write(endEntry());
    const sizes = filesOf(path).map((file) => statSync(file).size);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100_000);
    // Full: not a line more would fit.
    for (const size of sizes.slice(1)) expect(size).toBeGreaterThan(100_000 - 2_000);
    expect(seqsOf((await readBack(path)).frames)).toEqual(
      Array.from({ length: 3_000 }, (_, i) => i),
    );
  });
});

describe('what was dropped is told as missed', () => {
  test('where gap lines told some of it already', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path, { rotateBytes: 1, keepFiles: 1 });
    await recorder.write(startEntry());
    await recorder.write(framesEntry([frameOf(0)]));
    await recorder.write(framesEntry([frameOf(10)], { missed: 9 }));
    await recorder.close();
    // A gap in the older file, frame 10 in the newer; frame 0 is dropped.
    expect(filesOf(path).map((file) => Object.keys(jsonLines(file)[1] ?? {})[0])).toEqual([
      'episode_id',
      'kind',
    ]);
    const { recording, frames } = await readBack(path);
    expect(seqsOf(frames)).toEqual([10]);
    expect(recording.missed).toBe(10);
  });

  test('and where no frame is left', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path, { rotateBytes: 1, keepFiles: 0 });
    await recorder.write(startEntry());
    await recorder.write(framesEntry(framesFrom(5, 4), { missed: 5 }));
    await recorder.write(endEntry());
    const { recording, frames } = await readBack(path);
    expect(frames).toEqual([]);
    expect(recording.missed).toBe(9);
  });

  test('also in the middle, where somebody removed a file', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path, { rotateBytes: 1, keepFiles: 9 });
    await recorder.write(startEntry());
    await recorder.write(framesEntry(framesFrom(0, 5)));
    await recorder.close();
    rmSync(`${path}.2`);
    const { recording, frames } = await readBack(path);
    expect(seqsOf(frames)).toEqual([0, 1, 3, 4]);
    expect(recording.missed).toBe(1);
  });
});

describe('the recording of an earlier session is read by the name it was rotated to', () => {
  test('with its older files', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path, { rotateBytes: 1, keepFiles: 5 });
    for (const first of [10, 20]) {
      await recorder.write(startEntry());
      await recorder.write(framesEntry(framesFrom(first, 2)));
      await recorder.write(endEntry());
    }
    const { recording, frames } = await readBack(`${path}.3`);
    expect(seqsOf(frames)).toEqual([10, 11]);
    expect(recording.end).toMatchObject({ framesRecorded: 2 });
    expect(await rejectionOf(readBack(`${path}.6`))).toMatchObject({
      code: 'ERR_RECORDING_MISSING',
    });
  });

  test('and a name that only looks like one is a name', async () => {
    const path = `${newPath()}.7`;
    const recorder = new FrameRecorder(path, { rotateBytes: 1, keepFiles: 1 });
    await recorder.write(startEntry());
    await recorder.write(framesEntry(framesFrom(0, 2)));
    await recorder.close();
    expect(seqsOf((await readBack(path)).frames)).toEqual([0, 1]);
  });
});

describe('a kill between two system calls of a rotation loses nothing', () => {
  /** Three files: frames 0, 1 and 2; and an earlier recording beyond them. */
  async function threeFiles(): Promise<string> {
    const path = newPath();
    const recorder = new FrameRecorder(path, { rotateBytes: 1, keepFiles: 3 });
    await recorder.write(startEntry());
    await recorder.write(framesEntry([frameOf(99)]));
    await recorder.write(endEntry());
    rmSync(`${path}.1`);
    await recorder.write(startEntry());
    await recorder.write(framesEntry(framesFrom(0, 3)));
    await recorder.close();
    expect(filesOf(path)).toHaveLength(4);
    return path;
  }
  const whole = async (path: string) => {
    const { recording, frames } = await readBack(path);
    expect(seqsOf(frames)).toEqual([0, 1, 2]);
    expect(recording).toMatchObject({ missed: 0 });
    return recording;
  };

  test('an older file was moved, its name is free', async () => {
    const path = await threeFiles();
    renameSync(`${path}.2`, `${path}.3`);
    await whole(path);
  });

  test('the newest was moved, there is no file at the path', async () => {
    const path = await threeFiles();
    for (const age of [2, 1, 0])
      renameSync(age === 0 ? path : `${path}.${age}`, `${path}.${age + 1}`);
    expect((await whole(path)).isTorn).toBe(false);
  });

  test('the new file is empty', async () => {
    const path = await threeFiles();
    for (const age of [2, 1, 0])
      renameSync(age === 0 ? path : `${path}.${age}`, `${path}.${age + 1}`);
    writeFileSync(path, '');
    expect((await whole(path)).isTorn).toBe(false);
  });

  test('the new file has a part of its header', async () => {
    const path = await threeFiles();
    for (const age of [2, 1, 0])
      renameSync(age === 0 ? path : `${path}.${age}`, `${path}.${age + 1}`);
    copyFileSync(`${path}.1`, path);
    for (const size of [1, 20, 60, 300]) {
      truncateSync(path, size);
      copyFileSync(`${path}.1`, path);
      truncateSync(path, size);
      expect((await whole(path)).isTorn).toBe(true);
    }
  });

  test('with keepFiles 0: the one before is still at .1', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path, { rotateBytes: 1_000_000, keepFiles: 0 });
    await recorder.write(startEntry());
    await recorder.write(framesEntry(framesFrom(0, 3)));
    await recorder.close();
    renameSync(path, `${path}.1`);
    await whole(path);
    writeFileSync(path, '');
    await whole(path);
  });

  test('and the next rotation fills the free name instead of dropping a file', async () => {
    const path = await threeFiles();
    renameSync(`${path}.2`, `${path}.3`);
    const recorder = new FrameRecorder(path, { keepFiles: 3 });
    await recorder.write(startEntry({ episodeId: 'next' }));
    await recorder.close();
    expect(seqsOf((await readBack(`${path}.1`)).frames)).toEqual([0, 1, 2]);
    expect(filesOf(path)).toHaveLength(4);
  });
});

test('a recording that is read while it is rotated gives whole frames in order', async () => {
  const path = newPath();
  const recorder = new FrameRecorder(path, { rotateBytes: ROTATE_BYTES, keepFiles: 2 });
  await recorder.write(startEntry());
  await recorder.write(framesEntry([frameOf(0)]));
  let done = false;
  const recorded = (async () => {
    for (let seq = 1; seq < 1_000; seq += 1) await recorder.write(framesEntry([frameOf(seq)]));
    await recorder.write(endEntry());
    done = true;
  })();
  let reads = 0;
  while (!done) {
    const { recording, frames } = await readBack(path);
    const seqs = seqsOf(frames);
    expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
    expect(recording.missed).toBe(seqs[0] ?? recording.missed);
    reads += 1;
  }
  await recorded;
  expect(reads).toBeGreaterThan(1);
  expect(seqsOf((await readBack(path)).frames).at(-1)).toBe(999);
});

/** The newest first. */
function filesOf(path: string): string[] {
  const files = [path];
  while (existsSync(`${path}.${files.length}`)) files.push(`${path}.${files.length}`);
  const name = path.slice(directory.length + 1);
  expect(readdirSync(directory).filter((each) => each.startsWith(name))).toHaveLength(files.length);
  return files;
}
