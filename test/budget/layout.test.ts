import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as layout from '../../src/budget/counters.js';
import { RESOURCES } from '../../src/budget/resources.js';
import {
  EXHAUST_ACTIONS,
  EXHAUSTIBLE,
  SampleOutcome,
  TRIP_METRICS,
  TripAction,
} from '../../src/engine/engine.js';

const read = (file: string): string =>
  readFileSync(new URL(`../../native/core/${file}`, import.meta.url), 'utf8');

/** `[['kCpuMs', 0], …]` of a namespace, or of all that stands outside of one for ''. */
function constantsOf(text: string, namespace: string): [name: string, value: number][] {
  const inside = new RegExp(`namespace ${namespace} \\{(.*?)\\n\\}`, 's').exec(text)?.[1] ?? '';
  return [...inside.matchAll(/constexpr uint32_t k(\w+) = (\w+);/g)].map(([, name, value]) => [
    name!,
    Number(value),
  ]);
}

/** `CpuMs` → `cpuMs`; `SpeedUp` → `SPEED_UP`. */
const lower = (name: string): string => name[0]!.toLowerCase() + name.slice(1);
const upper = (name: string): string => name.replace(/(?<=[a-z0-9])[A-Z]/g, '_$&').toUpperCase();

const named = (
  constants: readonly [string, number][],
  rename: (name: string) => string,
): Record<string, number> =>
  Object.fromEntries(constants.map(([name, value]) => [rename(name), value]));
const numbered = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries(names.map((name, index) => [name, index]));

const counters = read('budget_counters.h');

test('the words of a budget stand where native code looks', () => {
  expect(named(constantsOf(counters, 'budget_word'), upper)).toEqual({
    MAGIC: layout.WORD_MAGIC,
    DEFERRED: layout.WORD_DEFERRED,
    LIMITS: layout.WORD_LIMITS,
    CONSUMED: layout.WORD_CONSUMED,
    WORDS: layout.BYTES / 8,
  });
  const magic = /kMagic = 0x([0-9a-fA-F']+);/.exec(read('budget_counters.cc'))![1]!;
  expect(BigInt(`0x${magic.replaceAll("'", '')}`)).toBe(layout.MAGIC);
});

test('the resources have the same order', () => {
  expect(named(constantsOf(counters, 'resource'), lower)).toEqual(numbered(RESOURCES));
  expect(Number(/kResources = (\d+);/.exec(counters)![1])).toBe(RESOURCES.length);
});

test('so have the metrics of tripwires, behind the resources where both are numbered', () => {
  const tripwires = read('tripwires.h');
  expect(named(constantsOf(tripwires, 'trip_metric'), lower)).toEqual(numbered(TRIP_METRICS));
  expect(EXHAUSTIBLE).toEqual([...RESOURCES, ...TRIP_METRICS]);
  expect(named(constantsOf(tripwires, 'trip_action'), upper)).toEqual(TripAction);
});

test('so have the actions at a limit, the weakest first', () => {
  const members = /enum class ExhaustAction : uint32_t \{(.*?)\}/.exec(read('enforcement.h'))![1]!;
  const actions = [...members.matchAll(/k(\w+) = (\d+)/g)].map(
    ([, name, value]) => [name!, Number(value)] as [string, number],
  );
  expect(named(actions, lower)).toEqual(numbered(EXHAUST_ACTIONS));
});

test('and the outcomes of a sample', () => {
  expect(named(constantsOf(read('episode.h'), 'outcome'), upper)).toEqual(SampleOutcome);
});
