import { describe, expect, test } from 'vitest';
import { runScript } from '../support/run-script.js';
import { READERS } from './readers.js';

const PAIRS = READERS.flatMap(([reader]) =>
  READERS.length === 1
    ? [[reader, 'js']]
    : [
        [reader, 'js'],
        [reader, 'native'],
      ],
) as [string, string][];

describe.each(PAIRS)('a reader of %s, of a ring that the %s engine writes', (reader, engine) => {
  // Each script ends by itself, or the test times out; one that ends too early has nothing to say.
  test.each([
    ['a next() that waits', 1],
    ['nothing that waits', 'idle'],
    ['a next() that was ended', true],
    ['a next() that was aborted', 'AbortError'],
  ])('with %s ends when it should', async (what, said) => {
    const script = new URL('./keep-alive.mjs', import.meta.url);
    expect(await runScript(script, [reader, engine, what])).toBe(said);
  });
});
