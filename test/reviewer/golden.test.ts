/** Lines as the other writers of the schema have them: compact, the known keys in its order, the others by name. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseExact } from '../../src/ndjson/exact-json.js';
import { REVIEWER_EVENT_KINDS } from '../../src/reviewer/index.js';
import { lifecycleEventOf, lineOfEvent, lineOfValue } from '../../src/reviewer/lifecycle-event.js';

function linesOf(name: string): string[] {
  const text = readFileSync(new URL(`./golden/${name}.ndjson`, import.meta.url), 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text.slice(0, -1).split('\n');
}

describe.each(['kinds', 'unknown-keys', 'escapes'])('%s', (name) => {
  test.each(linesOf(name))('read and written again it is the same bytes: %s', (line) => {
    const event = lifecycleEventOf(parseExact(line));
    expect(event).not.toBeNull();
    expect(lineOfValue(parseExact(line))).toBe(line);
    expect(lineOfEvent(event!)).toBe(line);
  });
});

test('kinds are all the kinds', () => {
  const kinds = linesOf('kinds').map((line) => lifecycleEventOf(parseExact(line))?.event);
  expect(new Set(kinds)).toEqual(new Set(REVIEWER_EVENT_KINDS));
});

test('what the lines say is what they mean', () => {
  const [numbers] = linesOf('unknown-keys').map((line) => lifecycleEventOf(parseExact(line)));
  expect(numbers).toMatchObject({
    seq: 18446744073709551615n,
    extra: { i64_min: -9223372036854775808n, tokens_total: 9007199254740993n, ratio: 0.1 },
  });
  const [controls] = linesOf('escapes').map((line) => lifecycleEventOf(parseExact(line)));
  expect(controls?.detail).toBe('\0\x01\x07\b\t\n\x0b\f\r\x1b\x1f"\\/\x7f');
});

test('older lines come into the canonical form, line for line', () => {
  const older = linesOf('older');
  const canonical = linesOf('older.canonical');
  expect(older.map((line) => lineOfValue(parseExact(line)))).toEqual(canonical);
  expect(canonical.map((line) => lineOfValue(parseExact(line)))).toEqual(canonical);
});
