import { expect, test } from 'vitest';
import { runScript } from '../support/run-script.js';

test('publishing and readInto allocate nothing', async () => {
  const { bytesPerFrame } = await runScript<{ bytesPerFrame: number }>(
    new URL('./read-heap.mjs', import.meta.url),
    [],
  );
  // One heap number a frame would be 16 bytes.
  expect(bytesPerFrame).toBeLessThan(4);
});
