/** Who evaluates the package in another realm than Node's own: `vm` contexts, and test runners for every test file. */
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCgroup2Mount } from '../../src/host/index.js';
import { until } from '../support/cli.js';
import { ENGINES } from '../support/engines.js';
import { installAddon, installIn } from '../support/installed.js';
import { Leaf } from '../support/leaf.js';
import { runScript } from '../support/run-script.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`no runner makes a scope on this host: ${noLeaf}`);

const root = fileURLToPath(new URL('../..', import.meta.url));
const inRoot = (path: string): string => join(root, 'node_modules', path);

/** Of one use, on a busy machine. */
const TEST_LIMIT_MS = 60_000;

const vitest = (pool: string): string[] => [
  inRoot('vitest/vitest.mjs'),
  ...['run', '--globals', '--no-file-parallelism', '--pool', pool, '--reporter', 'json'],
  ...['--test-timeout', String(TEST_LIMIT_MS)],
];

/** The arguments of Node that run the two test files of the project one after the other, in one thread. */
const RUNNERS: readonly { readonly name: string; readonly argv: readonly string[] }[] = [
  {
    name: 'Jest, ES modules',
    argv: [
      '--experimental-vm-modules',
      inRoot('jest/bin/jest.js'),
      ...['--runInBand', '--no-cache', '--json'],
    ],
  },
  { name: 'vitest, pool vmThreads', argv: vitest('vmThreads') },
  { name: 'vitest, pool vmForks', argv: vitest('vmForks') },
];

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPassedTestSuites: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly failureMessages: readonly string[] }[];
  }[];
}

interface Ended {
  readonly code: number | string | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe.each(ENGINES)('engine %s', (engine) => {
  // Of our own: other tests clean in the usual one.
  const slice = noLeaf === null ? `episcope_runners_${process.pid}_${engine}.slice` : null;
  const place = mkdtempSync(join(tmpdir(), 'episcope-runners-'));

  beforeAll(() => {
    installAddon(installIn(place));
    cpSync(fileURLToPath(new URL('./project', import.meta.url)), place, { recursive: true });
    writeFileSync(
      join(place, 'package.json'),
      JSON.stringify({
        type: 'module',
        jest: { transform: {}, testEnvironment: 'node', testTimeout: TEST_LIMIT_MS },
      }),
    );
  });
  afterAll(async () => {
    if (slice !== null) await endSlice(slice);
    rmSync(place, { recursive: true });
  });

  it('a fresh vm context, and our own realm: all of the main uses', async () => {
    const own = mkdtempSync(join(place, 'vm-'));
    const told = JSON.stringify({ engine, place: own, slice });
    const script = new URL('./vm-context.mjs', import.meta.url);
    const nodeOptions = ['--experimental-vm-modules', '--no-warnings'];
    expect(await runScript<string[]>(script, [told], nodeOptions)).toEqual([]);
  }, 60_000);

  it.each(RUNNERS)(
    '$name: two test files, all of the main uses',
    async ({ name, argv }) => {
      // What a runner caches beside its project, and what the uses write.
      const temporary = join(place, name.replaceAll(/\W+/g, '-'));
      mkdirSync(temporary);
      const env = {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_ENV: 'test',
        TMPDIR: temporary,
        EPISCOPE_TEST_ENGINE: engine,
        EPISCOPE_TEST_SLICE: slice ?? '',
      };
      const { stdout, stderr, ...how } = await run(argv, place, env);
      const report = reportOf(stdout);
      expect(failuresOf(report), stderr).toEqual([]);
      expect(how, stderr).toEqual({ code: 0, signal: null });
      expect(stderr).not.toMatch(/MaxListenersExceeded|EPISCOPE_JS_ENGINE|Assertion failed/);
      expect(report.testResults).toHaveLength(2);
      expect(report.numFailedTests).toBe(0);
      expect(report.numPassedTests).toBeGreaterThan(20);
    },
    120_000,
  );
});

/** What a runner that did not come to its end has left. */
async function endSlice(name: string): Promise<void> {
  const path = join(findCgroup2Mount() ?? '', name);
  if (!existsSync(path)) return;
  writeFileSync(join(path, 'cgroup.kill'), '1');
  await until('the slice to be empty', () =>
    readFileSync(join(path, 'cgroup.events'), 'utf8').includes('populated 0'),
  );
  for (const scope of readdirSync(path, { withFileTypes: true })) {
    if (scope.isDirectory()) rmdirSync(join(path, scope.name));
  }
  rmdirSync(path);
}

function run(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((resolve) => {
    const options = {
      cwd,
      env,
      timeout: 100_000,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 26,
    } as const;
    execFile(process.execPath, argv, options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, signal: error?.signal ?? null, stdout, stderr }),
    );
  });
}

/** Whatever else a runner prints, its report is one line, or all. */
function reportOf(stdout: string): Report {
  const line = stdout.split('\n').find((each) => each.startsWith('{"'));
  return JSON.parse(line ?? stdout) as Report;
}

function failuresOf({ testResults }: Report): string[] {
  return testResults.flatMap(({ message, assertionResults }) => [
    ...(message === '' ? [] : [message]),
    ...assertionResults.flatMap(({ failureMessages }) => failureMessages),
  ]);
}
