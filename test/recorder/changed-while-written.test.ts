/** Somebody else changes the file between the look at it and the write: by injection, before the system call. */
import { copyFileSync, readFileSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FrameRecorder } from '../../src/recorder/index.js';
import { scratch } from '../support/scratch.js';
import {
  endEntry,
  framesEntry,
  framesFrom,
  readBack,
  rejectionOf,
  seqsOf,
  startEntry,
} from './entries.js';

/** Called before each write to a file. */
let interrupt = () => {};

vi.mock('node:fs/promises', async (importActual) => {
  const actual = await importActual<typeof import('node:fs/promises')>();
  const open = async (...args: Parameters<typeof actual.open>) => {
    const handle = await actual.open(...args);
    const write = handle.write.bind(handle);
    handle.write = ((...what: Parameters<typeof write>) => {
      interrupt();
      return write(...what);
    }) as typeof handle.write;
    return handle;
  };
  return { ...actual, open };
});

const directory = scratch();
let recordings = 0;

beforeEach(() => {
  interrupt = () => {};
});

/** Once, before the n-th write from now. */
function atWrite(number: number, act: () => void): void {
  let writes = 0;
  interrupt = () => {
    writes += 1;
    if (writes === number) act();
  };
}

describe.each<readonly [what: string, act: (path: string) => void]>([
  ['emptied', (path) => truncateSync(path)],
  [
    'copied to .1 and emptied',
    (path) => {
      copyFileSync(path, `${path}.1`);
      truncateSync(path);
    },
  ],
  ['removed', (path) => rmSync(path)],
  ['renamed to .1', (path) => renameSync(path, `${path}.1`)],
])('%s just before a write', (what, act) => {
  test.each(['frames', 'end'] as const)('of %s', async (kind) => {
    const path = join(directory, `${recordings++}`);
    const recorder = new FrameRecorder(path);
    await recorder.write(startEntry());
    await recorder.write(framesEntry(framesFrom(0, 4)));
    const write =
      kind === 'end' ? recorder.write(endEntry()) : recorder.write(framesEntry(framesFrom(4, 2)));
    atWrite(1, () => act(path));
    const told = await write.then(
      () => null,
      (error: unknown) => error,
    );
    const changed = { code: 'ERR_RECORDING_CHANGED' };
    // What was renamed or removed is met by the next write.
    if (what.includes('emptied')) expect(told).toMatchObject(changed);
    else expect(told).toBeNull();
    if (kind === 'frames') {
      const end = recorder.write(endEntry());
      if (what.includes('emptied')) await end;
      else expect(await rejectionOf(end)).toMatchObject(changed);
    }
    if (kind === 'end' && what === 'removed') return;
    const { recording, frames } = await readBack(path);
    expect(
      readFileSync(kind === 'end' && what.startsWith('renamed') ? `${path}.1` : path).includes(0),
    ).toBe(false);
    const last = kind === 'frames' ? 6 : 4;
    const seqs = seqsOf(frames);
    expect(recording.missed).toBe(last - seqs.length);
    expect(recording.end).toMatchObject({ framesRecorded: last });
    if (what.includes('.1')) expect(seqs).toHaveLength(last);
  });
});
