import { writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LongLine, linesOf } from '../../src/ndjson/line-reader.js';
import { scratch } from '../support/scratch.js';

const directory = scratch();
const MAX_BYTES = 300_000;

async function linesIn(handle: FileHandle, endOffset?: number) {
  const lines: [number, string, boolean][] = [];
  for await (const { bytes, number, isTorn } of linesOf(handle, MAX_BYTES, endOffset)) {
    lines.push([number, bytes.toString('latin1'), isTorn]);
  }
  return lines;
}

test('a file is its lines, wherever the reads fall', async () => {
  const path = join(directory, 'lines');
  const length = fc.oneof(fc.nat(200), fc.integer({ min: 65_530, max: 65_540 }), fc.nat(MAX_BYTES));
  const check = async (lengths: number[], isTorn: boolean) => {
    const texts = lengths.map((each, index) => String(index % 10).repeat(each));
    writeFileSync(path, texts.join('\n') + (isTorn ? '' : '\n'));
    const expected = texts.map((text, index) => [
      index + 1,
      text,
      isTorn && index === texts.length - 1,
    ]);
    if (isTorn && texts.at(-1) === '') expected.pop();
    const handle = await open(path);
    try {
      expect(await linesIn(handle)).toEqual(expected);
    } finally {
      await handle.close();
    }
  };
  const lengths = fc.array(length, { minLength: 1, maxLength: 12 });
  await fc.assert(fc.asyncProperty(lengths, fc.boolean(), check), { numRuns: 60 });
});

test('nothing is read beyond the end that was asked for', async () => {
  const path = join(directory, 'end');
  writeFileSync(path, 'one\ntwo\nthree\n');
  const handle = await open(path);
  expect(await linesIn(handle, 8)).toEqual([
    [1, 'one', false],
    [2, 'two', false],
  ]);
  expect(await linesIn(handle, 10)).toEqual([
    [1, 'one', false],
    [2, 'two', false],
    [3, 'th', true],
  ]);
  await handle.close();
});

test('a line beyond the limit is refused, with its number', async () => {
  const path = join(directory, 'long');
  for (const end of ['', '\n', '\nmore\n']) {
    writeFileSync(path, `one\n${'x'.repeat(MAX_BYTES + 1)}${end}`);
    const handle = await open(path);
    const refused = await linesIn(handle).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LongLine);
    expect((refused as LongLine).number).toBe(2);
    await handle.close();
  }
});

test('of an end that is cut off and written anew no line is half the old and half the new', async () => {
  const before = `${'a'.repeat(65_000)}\n`;
  const contents = [`${before}${'b'.repeat(1_000)}`, `${before}${'c'.repeat(1_000)}\nd\n`];
  let reads = 0;
  const changing = {
    // Every read sees what is there by then.
    async read(buffer: Buffer, offset: number, length: number, position: number) {
      const content = Buffer.from(contents[Math.min(reads, 1)] ?? '');
      reads += 1;
      return { bytesRead: content.copy(buffer, offset, position, position + length) };
    },
  };
  // Of a handle only `read` is used.
  const lines = await linesIn(changing as unknown as FileHandle);
  expect(lines.map(([, text]) => text.slice(0, 3))).toEqual(['aaa', 'ccc', 'd']);
  expect(lines[1]?.[1]).toBe('c'.repeat(1_000));
});
