import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCutShort } from '../../src/reviewer/cut-short.js';
import { shapeOf } from '../../src/reviewer/torn-tail.js';

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
