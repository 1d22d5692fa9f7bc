import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('what is generated from schema/ is fresh', async () => {
  const script = fileURLToPath(new URL('../../schema/generate.mjs', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, '--check']);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});
