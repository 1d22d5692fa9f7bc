import { expect, test } from 'vitest';
import { inTurn } from '../../src/async/in-turn.js';
import { rejection, upTo } from '../reviewer/events.js';

test('of one key each begins once the one before has ended, be it with an error', async () => {
  const told: string[] = [];
  const act = (name: number) => async () => {
    told.push(`begin ${name}`);
    await new Promise((resolve) => setImmediate(resolve));
    told.push(`end ${name}`);
    if (name === 2) throw new Error('no');
  };
  const ends = upTo(3).map((name) => rejection(inTurn('a', act(name))));
  expect(await Promise.all(ends)).toEqual([null, new Error('no'), null]);
  expect(told).toEqual(upTo(3).flatMap((name) => [`begin ${name}`, `end ${name}`]));
});

test('another key waits for nobody', async () => {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const first = inTurn('a', () => released);
  await inTurn('b', async () => release());
  await first;
});
