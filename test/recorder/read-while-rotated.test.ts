/** A reader is interrupted at each of its system calls by the single steps of rotations. */
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { headerLine, headerOfStart, recordingHost } from '../../src/recorder/header.js';
import { scratch } from '../support/scratch.js';
import { frameOf, openFiles, readBack, rejectionOf, seqsOf, startEntry } from './entries.js';

/** Called before each system call of the reader, with its first argument. */
let interrupt: (path: unknown) => void = () => {};

vi.mock('node:fs/promises', async (importActual) => {
  const actual = await importActual<typeof import('node:fs/promises')>();
  // biome-ignore lint/complexity/noBannedTypes: a method of any signature
  const interrupted = <F extends Function>(call: F, self?: object): F =>
    ((...args: unknown[]) => {
      interrupt(args[0]);
      return call.apply(self, args);
    }) as unknown as F;
  const open = async (...args: Parameters<typeof actual.open>) => {
    const handle = await actual.open(...args);
    handle.stat = interrupted(handle.stat, handle);
    handle.read = interrupted(handle.read, handle);
    return handle;
  };
  return {
    ...actual,
    open: interrupted(open),
    stat: interrupted(actual.stat),
    lstat: interrupted(actual.lstat),
    readlink: interrupted(actual.readlink),
  };
});

const directory = scratch();
let recordings = 0;
const header = headerOfStart(startEntry(), 'one', recordingHost());
const next = headerOfStart(startEntry(), 'next', recordingHost());

beforeEach(() => {
  interrupt = () => {};
});

/** A recorder of one frame a file, whose `seq` is the file's number, that does one system call at a time. */
class Rotator {
  readonly path: string;
  readonly #keepFiles: number;
  readonly #steps: Generator<void, never>;
  #part = 0;

  constructor(keepFiles: number) {
    const own = join(directory, `${recordings++}`);
    mkdirSync(own);
    this.path = join(own, 'recording');
    this.#keepFiles = keepFiles;
    this.#steps = this.#rotations();
  }

  step(count: number): void {
    for (let i = 0; i < count; i += 1) this.#steps.next();
  }

  /** The numbers of the files that have a header and a frame, sorted. */
  parts(): number[] {
    const directory = join(this.path, '..');
    return readdirSync(directory)
      .map((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
      .filter((lines) => lines.length === 3)
      .map(([first]) => JSON.parse(first as string).part as number)
      .sort((a, b) => a - b);
  }

  *#rotations(): Generator<void, never> {
    for (; ; this.#part += 1) {
      if (existsSync(this.path)) {
        const oldest = Math.max(this.#keepFiles, 1);
        let free = 1;
        while (free < oldest && existsSync(this.#name(free))) free += 1;
        for (let age = free - 1; age >= 0; age -= 1) {
          renameSync(this.#name(age), this.#name(age + 1));
          yield;
        }
      }
      writeFileSync(this.path, '', { flag: 'wx' });
      yield;
      appendFileSync(this.path, `${headerLine({ ...header, part: this.#part })}\n`);
      yield;
      if (this.#keepFiles === 0 && this.#part > 0) {
        unlinkSync(this.#name(1));
        yield;
      }
      appendFileSync(this.path, `${frameOf(this.#part).toNDJSON()}\n`);
      yield;
    }
  }

  #name(age: number): string {
    return age === 0 ? this.path : `${this.path}.${age}`;
  }
}

/** Whatever was there at the beginning and still is at the end is read, once and in order. */
async function expectConsistent(rotator: Rotator): Promise<void> {
  const there = rotator.parts();
  const { recording, frames } = await readBack(rotator.path);
  const left = rotator.parts();
  const seqs = seqsOf(frames);
  const first = seqs[0] ?? 0;
  expect(seqs).toEqual(seqs.map((_, index) => first + index));
  expect(seqs).toEqual(expect.arrayContaining(there.filter((part) => left.includes(part))));
  if (seqs.length > 0) expect(recording.missed).toBe(first);
}

describe.each([0, 1, 3])(
  'a recording that is read while it is rotated, keepFiles %d',
  (keepFiles) => {
    /** Enough for the row to be full; one rotation has so many steps at most. */
    const full = (keepFiles + 3) * 4 + (keepFiles + 1) ** 2;
    const period = keepFiles + 5;

    test('by so many system calls at each of the reader’s', async () => {
      for (let count = 1; count <= period + 1; count += 1) {
        for (let phase = 0; phase < period; phase += 1) {
          const rotator = new Rotator(keepFiles);
          rotator.step(full + phase);
          interrupt = () => rotator.step(count);
          await expectConsistent(rotator);
        }
      }
    });

    test('by so many system calls at a single one of the reader’s', async () => {
      for (let phase = 0; phase < period; phase += 2) {
        for (let at = 0, calls = 1; at < calls; at += 1) {
          const count = 1 + ((at * 7 + phase) % (3 * period));
          const rotator = new Rotator(keepFiles);
          rotator.step(full + phase);
          calls = 0;
          interrupt = () => {
            if (calls === at) rotator.step(count);
            calls += 1;
          };
          await expectConsistent(rotator);
        }
      }
    });

    test('by any number of system calls at any of the reader’s', async () => {
      let state = 1;
      const below = (limit: number) => {
        state = (state * 48_271) % 2_147_483_647;
        return state % limit;
      };
      for (let round = 0; round < 40; round += 1) {
        const rotator = new Rotator(keepFiles);
        rotator.step(4 + below(full + period));
        const most = 1 + below(2 * period);
        interrupt = () => rotator.step(below(most + 1));
        await expectConsistent(rotator);
      }
      expect(openFiles()).toEqual([]);
    });
  },
);

test('a new session that begins meanwhile, and rotates too, hides no file', async () => {
  for (let at = 0, calls = 1; at < calls; at += 1) {
    const rotator = new Rotator(4);
    rotator.step(53);
    const { path } = rotator;
    const begin = (part: number) => {
      for (let age = 9; age >= 0; age -= 1) {
        const name = age === 0 ? path : `${path}.${age}`;
        if (existsSync(name)) renameSync(name, `${path}.${age + 1}`);
      }
      writeFileSync(path, `${headerLine({ ...next, part })}\n${frameOf(part).toNDJSON()}\n`);
    };
    const there = rotator.parts();
    calls = 0;
    interrupt = () => {
      if (calls === at) for (const part of [0, 1, 2]) begin(part);
      calls += 1;
    };
    const { recording, frames } = await readBack(path);
    const isNext = recording.header?.recordingId === 'next';
    expect(seqsOf(frames)).toEqual(isNext ? [0, 1, 2] : there);
  }
});

test('a file that is missing is missing after few looks', async () => {
  let calls = 0;
  interrupt = () => {
    calls += 1;
  };
  const path = join(directory, 'none');
  expect(await rejectionOf(readBack(path))).toMatchObject({ code: 'ERR_RECORDING_MISSING' });
  expect(calls).toBeLessThan(200);
});

test('a recording that is rotated without end is told as such, and leaves no file open', async () => {
  const rotator = new Rotator(1);
  rotator.step(11);
  // The file that was found first is always ahead of the reader.
  interrupt = (path) => {
    if (String(path).startsWith(`${rotator.path}.`) && !existsSync(String(path))) {
      linkSync(rotator.path, String(path));
    }
  };
  expect(await rejectionOf(readBack(rotator.path))).toMatchObject({
    code: 'ERR_RECORDING_IO',
    errno: 'EAGAIN',
  });
  expect(openFiles()).toEqual([]);
});
