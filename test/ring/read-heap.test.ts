import { expect, test } from 'vitest';
import { runScript } from '../support/run-script.js';
import { READERS } from './readers.js';

test.each(READERS)('publishing and readInto of %s allocate nothing', async (kind) => {
  const { bytesPerFrame } = await runScript<{ bytesPerFrame: number }>(
    new URL('./read-heap.mjs', import.meta.url),
    [kind],
    // Room for all that a run may leave behind: a collection in the middle of it would hide that.
    ['--min-semi-space-size=128', '--max-semi-space-size=128'],
  );
  // One heap number a frame would be 16 bytes.
  expect(bytesPerFrame).toBeLessThan(4);
});
