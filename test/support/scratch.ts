import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A directory that is removed after the tests of the file. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'episcope-test-'));
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
