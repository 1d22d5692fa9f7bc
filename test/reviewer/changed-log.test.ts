/** Somebody else truncates, removes, renames, replaces or writes to the log, by the addon and without it. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
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
import { readReviewerProjectionEvents } from '../../src/reviewer/index.js';
import { ReviewerTelemetryWriter } from '../../src/reviewer/writer.js';
import { scratch } from '../support/scratch.js';
import { eventOf, rejection, seqsIn } from './events.js';

const directory = scratch();
let places = 0;
const newPath = () => join(directory, `place-${places++}`, 'log.ndjson');
const precious = join(directory, 'precious');
writeFileSync(precious, '{"event":"precious"}\n');

const WRITERS = [
  ['native', true],
  ['native', false],
  ['js', true],
] as const;

describe.each(WRITERS)('a log, engine %s, singleProcess %s', (engine, singleProcess) => {
  async function begun(path: string): Promise<ReviewerTelemetryWriter> {
    const writer = new ReviewerTelemetryWriter(path, { singleProcess }, engine);
    for (const seq of [1, 2, 3]) await writer.append(eventOf(seq));
    return writer;
  }

  test.each<readonly [what: string, act: (path: string) => void, kept: number[]]>([
    ['truncated to nothing', (path) => truncateSync(path), []],
    [
      'copied to .1 and truncated',
      (path) => {
        copyFileSync(path, `${path}.1`);
        truncateSync(path);
      },
      [1, 2, 3],
    ],
    ['removed', (path) => rmSync(path), []],
    ['renamed', (path) => renameSync(path, `${path}.x`), []],
    ['renamed to .1', (path) => renameSync(path, `${path}.1`), [1, 2, 3]],
    ['removed with its directory', (path) => rmSync(dirname(path), { recursive: true }), []],
    ['moved with its directory', (path) => renameSync(dirname(path), `${dirname(path)}.x`), []],
    ['cut within a line', (path) => truncateSync(path, statSync(path).size - 10), [1, 2]],
    ['replaced by an empty file', (path) => replaced(path, () => writeFileSync(path, '')), []],
    ['given another name', (path) => linkSync(path, `${path}.x`), [1, 2, 3]],
    ['appended a line to', (path) => copyLine(path, 3), [1, 2, 3, 3]],
    ['appended a line to, cut short', (path) => appendFileSync(path, '{"event":"r'), [1, 2, 3]],
    ['without its lock file', (path) => rmSync(`${path}.lock`, { force: true }), [1, 2, 3]],
  ])('that was %s goes on with whole lines', async (_what, act, kept) => {
    const path = newPath();
    const writer = await begun(path);
    act(path);
    for (const seq of [4, 5]) await writer.append(eventOf(seq));
    expect(readFileSync(path).includes(0)).toBe(false);
    expect(seqsIn(path).slice(-2)).toEqual([4, 5]);
    const { events } = await readReviewerProjectionEvents(path, { prNumber: 7 });
    expect(events.map(({ lifecycle }) => Number(lifecycle.seq))).toEqual([...kept, 4, 5]);
  });

  test.each<readonly [what: string, put: (path: string) => void, errno: string | undefined]>([
    ['a link to a file', (path) => symlinkSync(precious, path), 'ELOOP'],
    ['a link to nothing', (path) => symlinkSync('/none', path), 'ELOOP'],
    ['a directory', (path) => mkdirSync(path), 'EISDIR'],
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), undefined],
  ])(
    'that was replaced by %s is an error each time, until that is gone',
    async (_what, put, errno) => {
      const path = newPath();
      const writer = await begun(path);
      replaced(path, put);
      const { ino } = lstatSync(path);
      for (const seq of [4, 5]) {
        const error = await rejection(writer.append(eventOf(seq)));
        expect(error).toMatchObject({ code: 'ERR_REVIEWER_IO', file: path });
        expect((error as { errno?: string }).errno).toBe(errno);
      }
      expect(lstatSync(path).ino).toBe(ino);
      expect(readFileSync(precious, 'utf8')).toBe('{"event":"precious"}\n');
      rmSync(path, { recursive: true });
      await writer.append(eventOf(6));
      expect(seqsIn(path)).toEqual([6]);
    },
  );

  test('that was moved, with a link to it in its place, is not written by the link', async () => {
    const path = newPath();
    const writer = await begun(path);
    renameSync(path, `${path}.x`);
    symlinkSync(`${path}.x`, path);
    expect(await rejection(writer.append(eventOf(4)))).toMatchObject({ errno: 'ELOOP' });
    expect(seqsIn(`${path}.x`)).toEqual([1, 2, 3]);
  });
});

function replaced(path: string, put: (path: string) => void): void {
  rmSync(path);
  put(path);
}

function copyLine(path: string, number: number): void {
  const line = readFileSync(path, 'utf8').split('\n')[number - 1];
  appendFileSync(path, `${line}\n`);
}
