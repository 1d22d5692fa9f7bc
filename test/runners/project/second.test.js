// Every test file has an evaluation of the package, and a realm, of its own.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as episcope from 'episcope';
import { MAIN_USES } from './main-uses.js';

const { EPISCOPE_TEST_ENGINE: engine, EPISCOPE_TEST_SLICE: slice } = process.env;
const place = () => mkdtempSync(join(tmpdir(), 'use-'));

for (const [name, use] of Object.entries(MAIN_USES)) {
  test(name, () => use(episcope, { engine, place: place(), slice: slice || null }));
}

test('a session that nobody stops is left to the next file', () => {
  const handle = new episcope.TelemetryCollector(undefined, { engine }).start('left', process.pid);
  expect(handle.engine).toBe(engine);
});
