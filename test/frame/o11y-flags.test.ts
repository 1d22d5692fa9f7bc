import { expect, test } from 'vitest';
import { O11yFlags } from '../../src/frame/index.js';
import { flagsFromBits, flagsToBits } from '../../src/frame/o11y-flags.js';

test('none has no flag', () => {
  expect(O11yFlags.none.hasAny).toBe(false);
  expect(Object.values(O11yFlags.none)).toEqual([false, false, false, false, false]);
});

test('each with…() gives other flags and leaves these alone', () => {
  const flags = O11yFlags.none;
  const each = [
    flags.withHighFrequency(),
    flags.withPromoted(),
    flags.withDegraded(),
    flags.withInitial(),
    flags.withTerminal(),
  ];
  expect(flags.hasAny).toBe(false);
  for (const one of each) {
    expect(one.hasAny).toBe(true);
    expect(Object.values(one).filter(Boolean)).toHaveLength(1);
  }
  expect(flags.withInitial().withTerminal().withInitial(false)).toEqual(flags.withTerminal());
});

test('flags do not change', () => {
  const flags = O11yFlags.none.withInitial();
  expect(() => Object.assign(flags, { initial: false })).toThrow(TypeError);
  expect(flags.initial).toBe(true);
});

test('all 32 combinations survive their bits, and unknown bits are ignored', () => {
  for (let bits = 0; bits < 32; bits++) {
    expect(flagsToBits(flagsFromBits(bits))).toBe(bits);
    expect(flagsFromBits(bits | 0xffffff00)).toBe(flagsFromBits(bits));
  }
});

test('in JSON they are five booleans in snake_case', () => {
  expect(JSON.parse(JSON.stringify(O11yFlags.none.withHighFrequency()))).toEqual({
    high_frequency: true,
    promoted: false,
    degraded: false,
    initial: false,
    terminal: false,
  });
});
