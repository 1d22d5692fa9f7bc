import type { FileHandle } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCutShort } from '../../src/reviewer/cut-short.js';
import { endOfLog, shapeOf } from '../../src/reviewer/torn-tail.js';

const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());

test('PROPERTY: an object is whole, and every beginning of one is cut short', () => {
  fc.assert(
    fc.property(object, (value) => {
      const bytes = Buffer.from(JSON.stringify(value));
      expect(shapeOf(bytes)).toBe('whole');
      for (let end = 1; end < bytes.length; end += 1) {
        expect(shapeOf(bytes.subarray(0, end))).toBe('cut short');
      }
    }),
  );
});

test('PROPERTY: what readers forgive as cut short a writer cuts off', () => {
  const text = fc.string({ unit: fc.constantFrom(...'{}[]",:\\ tfn19.x') });
  fc.assert(
    fc.property(text, (rest) => {
      const bytes = Buffer.from(`{${rest}`);
      if (isCutShort(bytes)) expect(shapeOf(bytes)).toBe('cut short');
    }),
    { numRuns: 2_000 },
  );
});

/** How a file ends that has this text. */
function endOf(text: string): ReturnType<typeof endOfLog> {
  const content = Buffer.from(text);
  const handle = {
    async read(buffer: Buffer, offset: number, length: number, position: number) {
      return { bytesRead: content.copy(buffer, offset, position, position + length) };
    },
  };
  // Of a handle only `read` is used.
  return endOfLog(handle as unknown as FileHandle, content.length);
}

const blank = fc.string({ unit: fc.constantFrom(' ', '\t', '\r') });
const blankLines = fc.array(blank.map((each) => `${each}\n`)).map((lines) => lines.join(''));
const nothing = fc.constant('');

test('PROPERTY: an event cut short is cut off with the blanks around it, and nothing before it', async () => {
  const before = fc.tuple(fc.constantFrom('', '{"n":1}\n'), blankLines).map(([a, b]) => a + b);
  const behind = fc.tuple(blankLines, blank).map(([lines, rest]) => `\n${lines}${rest}`);
  const check = async (start: string, lead: string, value: object, part: number, rest: string) => {
    const whole = JSON.stringify(value);
    const begun = whole.slice(0, 1 + Math.floor(part * (whole.length - 1)));
    expect(await endOf(start + lead + begun + rest)).toEqual({
      what: 'cut',
      at: Buffer.byteLength(start),
    });
  };
  const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  await fc.assert(fc.asyncProperty(before, blank, object, part, fc.oneof(nothing, behind), check), {
    numRuns: 500,
  });
});

test('PROPERTY: behind a whole line no blank line is touched', async () => {
  const check = async (lead: string, value: object, rest: string, blanks: string, more: string) => {
    const line = lead + JSON.stringify(value) + rest;
    expect(await endOf(line)).toEqual({ what: 'newline' });
    expect(await endOf(`${line}\n${blanks}`)).toEqual({ what: 'nothing' });
    const what = more === '' ? 'nothing' : 'newline';
    expect(await endOf(`${line}\n${blanks}${more}`)).toEqual({ what });
  };
  await fc.assert(fc.asyncProperty(blank, object, blank, blankLines, blank, check));
});

// As in native/test/event_log_test.cc.
const CUT = '{"n":9,"x":"x';
const LONG_CUT = `{"n":"${'y'.repeat(200_000)}`;
test.each<[what: string, tail: string, end: object | 'cut']>([
  ['an event cut short behind a blank', ` ${CUT}`, 'cut'],
  ['… with its newline', ` \t\r${CUT}\n`, 'cut'],
  ['an event cut short before a blank line', `${CUT}\n\n`, 'cut'],
  ['… before blanks', `${CUT}\n  `, 'cut'],
  ['… before many', `${CUT} \r\n${'\n'.repeat(10_000)}${' '.repeat(5_000)}\n`, 'cut'],
  ['a long one before a blank line', `${LONG_CUT}\n\n`, 'cut'],
  ['… among many blanks', `${' '.repeat(9_000)}${LONG_CUT}\n${' '.repeat(5_000)}`, 'cut'],
  ['zeros behind a blank', ` ${'\0'.repeat(9)}`, 'cut'],
  ['blank lines', '\n \n', { what: 'nothing' }],
  ['blanks', '  ', { what: 'newline' }],
  ['another line and a blank one', 'zeros\n\n', { what: 'nothing' }],
  ['another line behind a blank', ' zeros', { what: 'foreign' }],
  ['a line too long', `${LONG_CUT.padEnd(5_000_000, 'y')}\n\n`, { what: 'nothing' }],
  ['too many blanks in its line', ' '.repeat(5_000_000) + CUT, { what: 'foreign' }],
])('of a log that ends with %s', async (_what, tail, end) => {
  const before = '{"n":1}\n';
  expect(await endOf(before + tail)).toEqual(
    end === 'cut' ? { what: 'cut', at: before.length } : end,
  );
});

// As in native/test/event_log_test.cc.
test.each([
  ['{"n":[9}', 'other'],
  ['{]', 'other'],
  ['{"n":9}{', 'other'],
  ['{"a" x', 'other'],
  ['\0\0\0', 'other'],
  ['{"n"\0\0', 'other'],
  ['', 'other'],
  ['[1]', 'other'],
  ['{"n":9} \r', 'whole'],
  ['{"n":9,"x":"}', 'cut short'],
  ['{"n":9,"x":"\\"}', 'cut short'],
])('%j is %s', (line, shape) => {
  expect(shapeOf(Buffer.from(line))).toBe(shape);
});
