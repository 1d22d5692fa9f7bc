import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FrameRecorder, readRecording } from '../../src/recorder/index.js';
import { linesOfCommand } from '../support/lines-of-command.js';
import { scratch } from '../support/scratch.js';
import { RECORDING_PROCESS, type Told } from './child.js';
import {
  endEntry,
  frameOf,
  framesEntry,
  framesFrom,
  openFiles,
  readBack,
  rejectionOf,
  seqsOf,
  startEntry,
} from './entries.js';

const directory = scratch();
let places = 0;
const newPath = () => join(directory, `place-${places++}`);
const isRoot = process.getuid?.() === 0;

function io(errno: string, file: string) {
  return { name: 'RecordingError', code: 'ERR_RECORDING_IO', errno, file };
}

function outcomes(lines: readonly string[]): [string, string | null][] {
  return lines
    .map((line) => JSON.parse(line) as Told)
    .map(({ doing, error }) => [doing, error === null ? null : `${error.code} ${error.errno}`]);
}

describe('a file that cannot be written', () => {
  test('beyond RLIMIT_FSIZE: what was written stays, and once there is room it goes on with a gap', async () => {
    const path = newPath();
    const { lines } = await linesOfCommand([process.execPath, RECORDING_PROCESS, 'limited', path]);
    expect(outcomes(lines)).toEqual([
      ['within', null],
      ['beyond', 'ERR_RECORDING_IO EFBIG'],
      ['still', 'ERR_RECORDING_IO EFBIG'],
      ['lifted', null],
      ['end', null],
    ]);
    await expectGoneOn(path);
  });

  test.skipIf(!isRoot)('on a full file system: the same', async () => {
    const mount = newPath();
    mkdirSync(mount);
    const { lines } = await onTinyFileSystem(mount, 'full');
    expect(outcomes(lines.slice(0, 5))).toEqual([
      ['within', null],
      ['full', 'ERR_RECORDING_IO ENOSPC'],
      ['still', 'ERR_RECORDING_IO ENOSPC'],
      ['freed', null],
      ['end', null],
    ]);
    const path = newPath();
    writeFileSync(path, `${lines.slice(5).join('\n')}\n`);
    await expectGoneOn(path);
  });

  test.skipIf(!isRoot)(
    'on a file system that is full at the start: the header is written later, the earlier file is kept',
    async () => {
      const mount = newPath();
      mkdirSync(mount);
      const { lines } = await onTinyFileSystem(mount, 'fullAtStart');
      expect(outcomes(lines.slice(0, 4))).toEqual([
        ['start', 'ERR_RECORDING_IO ENOSPC'],
        ['frames', 'ERR_RECORDING_IO ENOSPC'],
        ['freed', null],
        ['end', null],
      ]);
      expect(lines[4]).toBe('"precious"');
      const path = newPath();
      writeFileSync(path, `${lines.slice(5).join('\n')}\n`);
      const { recording, frames } = await readBack(path);
      expect(seqsOf(frames)).toEqual([2, 3]);
      expect(recording.missed).toBe(2);
    },
  );

  test.skipIf(!isRoot)(
    'without the permission: EACCES, and once it is given it goes on',
    async () => {
      const place = newPath();
      mkdirSync(place, { mode: 0o755 });
      chmodSync(directory, 0o755);
      const path = join(place, 'recording');
      const { lines } = await linesOfCommand(
        [process.execPath, RECORDING_PROCESS, 'denied', path, 'permit'],
        (line, child) => {
          if ((JSON.parse(line) as Told).doing !== 'permit') return;
          chmodSync(place, 0o777);
          child.stdin?.end('\n');
        },
      );
      expect(outcomes(lines)).toEqual([
        ['start', 'ERR_RECORDING_IO EACCES'],
        ['frames', 'ERR_RECORDING_IO EACCES'],
        ['permit', null],
        ['later', null],
        ['end', null],
      ]);
      const { recording, frames } = await readBack(path);
      expect(seqsOf(frames)).toEqual([2, 3]);
      expect(recording).toMatchObject({ missed: 2, end: { framesRecorded: 2, framesMissed: 2 } });
    },
  );

  test.skipIf(!isRoot)(
    'into a directory that may be written and not listed, and into one made there',
    async () => {
      const place = newPath();
      mkdirSync(place);
      chownSync(place, 65_534, 65_534);
      chmodSync(place, 0o311);
      chmodSync(directory, 0o711);
      for (const name of ['recording', 'made/below/recording']) {
        const path = join(place, name);
        const { lines } = await linesOfCommand([
          process.execPath,
          RECORDING_PROCESS,
          'denied',
          path,
        ]);
        expect(outcomes(lines)).toEqual([
          ['start', null],
          ['frames', null],
          ['later', null],
          ['end', null],
        ]);
        expect(seqsOf((await readBack(path)).frames)).toEqual([0, 1, 2, 3]);
      }
    },
  );

  test('a directory in its place is EISDIR; and once that is gone it goes on', async () => {
    const path = newPath();
    mkdirSync(path);
    const recorder = new FrameRecorder(path);
    expect(await rejectionOf(recorder.write(startEntry()))).toMatchObject(io('EISDIR', path));
    expect(await rejectionOf(recorder.write(framesEntry(framesFrom(0, 4))))).toMatchObject(
      io('EISDIR', path),
    );
    rmdirSync(path);
    await recorder.write(framesEntry(framesFrom(5, 1), { missed: 1 }));
    await recorder.write(endEntry());
    const { recording, frames } = await readBack(path);
    expect(seqsOf(frames)).toEqual([5]);
    expect(recording).toMatchObject({ missed: 5, end: { framesRecorded: 1, framesMissed: 5 } });
  });

  test('frames that were lost last are told before the end', async () => {
    const path = newPath();
    mkdirSync(path);
    const recorder = new FrameRecorder(path);
    await rejectionOf(recorder.write(startEntry()));
    await rejectionOf(recorder.write(framesEntry(framesFrom(0, 4))));
    rmdirSync(path);
    await recorder.write(endEntry());
    expect((await readBack(path)).recording).toMatchObject({ missed: 4, end: { framesMissed: 4 } });
  });

  test('a rotated name that is taken by a directory: the full file goes on to be the newest, unharmed', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path, { rotateBytes: 3_000 });
    await recorder.write(startEntry());
    await recorder.write(framesEntry([frameOf(0)]));
    mkdirSync(`${path}.1`);
    expect(await rejectionOf(recorder.write(framesEntry(framesFrom(1, 6))))).toMatchObject(
      io('EISDIR', path),
    );
    expect(statSync(path).size).toBeLessThanOrEqual(3_000);
    rmdirSync(`${path}.1`);
    await recorder.write(framesEntry([frameOf(7)]));
    await recorder.write(endEntry());
    const { recording, frames } = await readBack(path);
    const seqs = seqsOf(frames);
    expect(seqs[0]).toBe(0);
    expect(seqs.at(-1)).toBe(7);
    expect(recording.missed).toBe(8 - seqs.length);
  });

  test('its parent is a file: ENOTDIR', async () => {
    const file = newPath();
    writeFileSync(file, 'precious');
    const path = join(file, 'a/b');
    await using recorder = new FrameRecorder(path);
    expect(await rejectionOf(recorder.write(startEntry()))).toMatchObject(io('ENOTDIR', path));
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  test('its parent can never be made: ENOENT, and not a thread that tries for ever', async () => {
    const path = '/proc/none/of/these';
    await using recorder = new FrameRecorder(path);
    expect(await rejectionOf(recorder.write(startEntry()))).toMatchObject(io('ENOENT', path));
  });

  test('links in a circle are ELOOP, to write and to read', async () => {
    const [a, b] = [newPath(), newPath()];
    symlinkSync(a, b);
    symlinkSync(b, a);
    await using recorder = new FrameRecorder(a);
    expect(await rejectionOf(recorder.write(startEntry()))).toMatchObject(io('ELOOP', a));
    expect(await rejectionOf(readRecording(a).readHeader())).toMatchObject(io('ELOOP', a));
  });

  test('a rejection that nobody awaits does not end the process', async () => {
    const path = newPath();
    mkdirSync(path);
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    const recorder = new FrameRecorder(path);
    void recorder.write(startEntry());
    await recorder.close();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });
});

describe('a stream', () => {
  test('/dev/full is ENOSPC for every entry, and nothing is left open', async () => {
    const recorder = new FrameRecorder('/dev/full');
    const file = '/dev/full';
    expect(await rejectionOf(recorder.write(startEntry()))).toMatchObject(io('ENOSPC', file));
    expect(await rejectionOf(recorder.write(framesEntry([frameOf(0)])))).toMatchObject(
      io('ENOSPC', file),
    );
    expect(await rejectionOf(recorder.write(endEntry()))).toMatchObject(io('ENOSPC', file));
    expect(statSync(file).isCharacterDevice()).toBe(true);
  });

  test('/dev/null takes everything, however small a file is to be', async () => {
    const recorder = new FrameRecorder('/dev/null', { rotateBytes: 1 });
    await recorder.write(startEntry());
    await recorder.write(framesEntry(framesFrom(0, 100)));
    await recorder.write(endEntry());
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('a FIFO that nobody reads is ENXIO, and it begins with its header once somebody does', async () => {
    const fifo = newFifo();
    const recorder = new FrameRecorder(fifo, { rotateBytes: 1 });
    expect(await rejectionOf(recorder.write(startEntry()))).toMatchObject(io('ENXIO', fifo));
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    await recorder.write(framesEntry(framesFrom(0, 3)));
    await recorder.write(endEntry());
    const { frames } = await readCaptured(takeAll(reader));
    closeSync(reader);
    expect(seqsOf(frames)).toEqual([0, 1, 2]);
  });

  test('a FIFO that is full: lines stay whole, and what was lost is told', async () => {
    const fifo = newFifo();
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const recorder = new FrameRecorder(fifo);
    await recorder.write(startEntry());
    expect(await rejectionOf(recorder.write(framesEntry(framesFrom(0, 200))))).toMatchObject(
      io('EAGAIN', fifo),
    );
    const first = takeAll(reader);
    expect(first.at(-1)).not.toBe(0x0a);
    await recorder.write(framesEntry([frameOf(200)]));
    await recorder.write(endEntry());
    const { recording, frames } = await readCaptured(Buffer.concat([first, takeAll(reader)]));
    closeSync(reader);
    const seqs = seqsOf(frames);
    expect(seqs).toEqual([...seqs.keys()].map((index) => (index < seqs.length - 1 ? index : 200)));
    expect(recording.missed).toBe(201 - seqs.length);
    expect(recording.end).toMatchObject({
      framesRecorded: seqs.length,
      framesMissed: recording.missed,
    });
  });

  test('a FIFO whose reader left: EPIPE, and the next reader gets a header', async () => {
    const fifo = newFifo();
    const gone = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const recorder = new FrameRecorder(fifo);
    await recorder.write(startEntry());
    await recorder.write(framesEntry([frameOf(0)]));
    closeSync(gone);
    expect(await rejectionOf(recorder.write(framesEntry([frameOf(1)])))).toMatchObject(
      io('EPIPE', fifo),
    );
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    await recorder.write(framesEntry([frameOf(2)]));
    await recorder.write(endEntry());
    const { recording, frames } = await readCaptured(takeAll(reader));
    closeSync(reader);
    expect(seqsOf(frames)).toEqual([2]);
    expect(recording.header?.part).toBe(1);
    expect(recording.missed).toBe(2);
  });

  test('an open file of ours is written at its end, not rotated and not emptied', async () => {
    const path = newPath();
    writeFileSync(path, 'before\n');
    const command = `exec "$0" "$1" session /dev/fd/3 4 3>>"$2"`;
    const { lines } = await linesOfCommand([
      'bash',
      '-c',
      command,
      process.execPath,
      RECORDING_PROCESS,
      path,
    ]);
    expect(outcomes(lines)).toEqual([
      ['start', null],
      ['frames', null],
      ['end', null],
    ]);
    const bytes = readFileSync(path);
    expect(bytes.subarray(0, 7).toString()).toBe('before\n');
    expect(seqsOf((await readCaptured(bytes.subarray(7))).frames)).toEqual([0, 1, 2, 3]);
  });

  test('so is /dev/stdout behind a link, as a container image may have it', async () => {
    const path = newPath();
    const link = newPath();
    symlinkSync('/dev/stdout', link);
    const command = `"$0" "$1" session "$2" 4 >"$3"`;
    await linesOfCommand(['bash', '-c', command, process.execPath, RECORDING_PROCESS, link, path]);
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => !line.startsWith('{"doing"'));
    expect(seqsOf((await readCaptured(Buffer.from(lines.join('\n')))).frames)).toEqual([
      0, 1, 2, 3,
    ]);
  });

  function newFifo(): string {
    const path = newPath();
    execFileSync('mkfifo', [path]);
    return path;
  }

  /** What a pipe holds. */
  function takeAll(fd: number): Buffer {
    const chunks: Buffer[] = [];
    const chunk = Buffer.alloc(65_536);
    for (;;) {
      try {
        const bytes = readSync(fd, chunk);
        if (bytes === 0) return Buffer.concat(chunks);
        chunks.push(Buffer.from(chunk.subarray(0, bytes)));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'EAGAIN') throw cause;
        return Buffer.concat(chunks);
      }
    }
  }

  function readCaptured(bytes: Buffer) {
    const path = newPath();
    writeFileSync(path, bytes);
    return readBack(path);
  }
});

describe('a recording that cannot be read', () => {
  const read = async (path: string) => {
    for await (const _frame of readRecording(path));
  };

  test('is missing', async () => {
    for (const path of [newPath(), join(newPath(), 'below')]) {
      const missing = { name: 'RecordingError', code: 'ERR_RECORDING_MISSING', file: path };
      expect(await rejectionOf(read(path))).toMatchObject(missing);
      expect(await rejectionOf(readRecording(path).readHeader())).toMatchObject(missing);
    }
  });

  test('is a directory, or below a file', async () => {
    const path = newPath();
    mkdirSync(path);
    expect(await rejectionOf(read(path))).toMatchObject(io('EISDIR', path));
    const file = newPath();
    writeFileSync(file, '');
    expect(await rejectionOf(read(join(file, 'x')))).toMatchObject(io('ENOTDIR', join(file, 'x')));
  });

  test('is a FIFO or a device: refused, not waited for', async () => {
    const path = newPath();
    execFileSync('mkfifo', [path]);
    for (const each of [path, '/dev/zero']) {
      expect(await rejectionOf(read(each))).toMatchObject({ code: 'ERR_RECORDING_IO', file: each });
    }
  });

  test('has a name that is too long', async () => {
    const path = join(directory, 'n'.repeat(300));
    expect(await rejectionOf(read(path))).toMatchObject(io('ENAMETOOLONG', path));
    await using recorder = new FrameRecorder(path);
    expect(await rejectionOf(recorder.write(startEntry()))).toMatchObject(io('ENAMETOOLONG', path));
  });

  test('and leaves no file open', async () => {
    const path = newPath();
    const before = openFiles();
    for (const text of ['', 'garbage', 'garbage\n']) {
      writeFileSync(path, text);
      await read(path).catch(() => {});
      await readRecording(path)
        .readHeader()
        .catch(() => {});
    }
    rmSync(path);
    expect(openFiles()).toEqual(before);
  });
});

async function onTinyFileSystem(mount: string, task: string) {
  // In a mount namespace of the child's own: nobody else sees it, and it goes with the child.
  const command = 'mount -t tmpfs -o size=64k none "$0" && exec "$1" "$2" "$3" "$0/recording"';
  return linesOfCommand([
    'unshare',
    '-m',
    'bash',
    '-c',
    command,
    mount,
    process.execPath,
    RECORDING_PROCESS,
    task,
  ]);
}

/** Frames 0 and 1 and some more, a gap, then 33 and 34. */
async function expectGoneOn(path: string): Promise<void> {
  const { recording, frames } = await readBack(path);
  const seqs = seqsOf(frames);
  const before = seqs.slice(0, -2);
  expect(before).toEqual([...before.keys()]);
  expect(before.length).toBeGreaterThanOrEqual(2);
  expect(before.length).toBeLessThan(32);
  expect(seqs.slice(-2)).toEqual([33, 34]);
  expect(recording.missed).toBe(33 - before.length);
  expect(recording).toMatchObject({
    isTorn: false,
    end: { framesRecorded: seqs.length, framesMissed: recording.missed },
  });
}
