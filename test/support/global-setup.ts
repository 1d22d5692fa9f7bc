import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostFacts } from '../../src/host/index.js';
import { findStaleScopes, placesToClean } from '../../src/scope/index.js';
import {
  cgroupsOf,
  killMarked,
  lasting,
  processesMarked,
  removeCgroups,
  shown,
} from './left-behind.js';
import { buildParserDoor } from './parser-door.js';
import { RUN, WORKERS } from './run.js';

/** Builds what the tests run, and looks in the end whether anything is left of them. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  // Of several projects the first does it.
  if (process.env[RUN] !== undefined) return undefined;
  buildWorkloads();
  if (process.env.EPISCOPE_TEST_ENGINE !== 'js') buildParserDoor();
  const run = mkdtempSync(join(tmpdir(), 'episcope-run-'));
  writeFileSync(join(run, WORKERS), '');
  process.env[RUN] = run;
  const before = new Set(await scopesOfTheDead());
  return async () => {
    try {
      const left = await leftBehind(run, before);
      if (left.length > 0) throw new Error(`the tests left behind: ${left.join(', ')}`);
    } catch (cause) {
      // Vitest only prints what a teardown throws.
      process.exitCode = 1;
      throw cause;
    } finally {
      rmSync(run, { recursive: true });
    }
  };
}

/** The workloads are C programs, so that what they report of themselves is the kernel's word. */
function buildWorkloads(): void {
  const script = fileURLToPath(new URL('../workloads/build.sh', import.meta.url));
  execFileSync('bash', [script], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** What is left of a worker that crashed is here, and what a file could not find. It is ended and removed. */
async function leftBehind(run: string, before: ReadonlySet<string>): Promise<string[]> {
  const workers = readFileSync(join(run, WORKERS), 'utf8').split('\n').filter(Boolean).map(Number);
  if (workers.length === 0) return [];
  const processes = await lasting(() => processesMarked(`${run}/`));
  await killMarked(`${run}/`);
  const cgroups = cgroupsOf(workers);
  await removeCgroups(cgroups);
  const scopes = (await scopesOfTheDead()).filter((path) => !before.has(path));
  return [shown(processes), ...cgroups, ...scopes].filter(Boolean);
}

async function scopesOfTheDead(): Promise<string[]> {
  const stale = await findStaleScopes(placesToClean(hostFacts()));
  return stale.map(({ cgroupPath }) => cgroupPath);
}
