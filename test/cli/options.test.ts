import { expect, test } from 'vitest';
import { parseRunOptions, type RunOptions } from '../../src/cli/run-options.js';
import { UsageError } from '../../src/cli/usage.js';

const NO_LIMITS = {
  cpuNs: null,
  wallNs: null,
  ioBytes: null,
  memoryBytes: null,
  onExhausted: 'kill',
};

function options(...argv: string[]): RunOptions {
  const parsed = parseRunOptions(argv);
  if (parsed === 'help') throw new Error('help was not asked for');
  return parsed;
}

function complaint(...argv: string[]): string {
  try {
    parseRunOptions(argv);
  } catch (cause) {
    if (cause instanceof UsageError) return cause.message;
  }
  throw new Error(`${argv.join(' ')} was accepted`);
}

test('the defaults', () => {
  expect(options('--', 'make', '-j', '8')).toMatchObject({
    command: 'make',
    args: ['-j', '8'],
    periodMs: 100,
    engine: 'auto',
    tier: 'auto',
    jsonFile: null,
    recordFile: null,
    limits: NO_LIMITS,
    quiet: false,
  });
});

test('every option, with a space or an equals sign', () => {
  const expected = {
    periodMs: 20,
    engine: 'js',
    tier: 'leaf',
    jsonFile: 'a=b.json',
    recordFile: 'r',
    limits: NO_LIMITS,
    id: 'job_1',
    quiet: true,
  };
  const spaced =
    '--period 20 --engine js --tier leaf --json a=b.json --record r --id job_1 --quiet';
  expect(options(...spaced.split(' '), '--', 'x')).toMatchObject(expected);
  const joined =
    '--period=20 --engine=js --tier=leaf --json=a=b.json --record=r --id=job_1 --quiet';
  expect(options(...joined.split(' '), '--', 'x')).toMatchObject(expected);
});

test('the command begins after -- or at the first word that is no option, and keeps its own options', () => {
  expect(options('--quiet', 'ls', '--period', '-x')).toMatchObject({
    command: 'ls',
    args: ['--period', '-x'],
    quiet: true,
  });
  expect(options('--', '--', 'x')).toMatchObject({ command: '--', args: ['x'] });
  expect(options('--', '--quiet')).toMatchObject({ command: '--quiet', quiet: false });
});

test('the id of its own names the command and is an episode id, whatever the command is called', () => {
  expect(options('/usr/bin/a b.sh').id).toMatch(/^a-b-sh-\d+-\d+$/);
  expect(options('/').id).toMatch(/^run-\d+-\d+$/);
  expect(options('x'.repeat(300)).id.length).toBeLessThanOrEqual(128);
});

test.each([
  [['--period', '0', 'x'], '--period wants whole ms from 1 to 3600000, not "0"'],
  [['--period', '1.5', 'x'], '--period wants whole ms from 1 to 3600000, not "1.5"'],
  [
    ['--period', '-5', 'x'],
    '--period wants a time like 500, 1.5s or 2m (ns, us, ms, s, m, h; a bare number is ms), not "-5"',
  ],
  [['--period', '3600001', 'x'], '--period wants whole ms from 1 to 3600000, not "3600001"'],
  [
    ['--period=', 'x'],
    '--period wants a time like 500, 1.5s or 2m (ns, us, ms, s, m, h; a bare number is ms), not ""',
  ],
  [
    ['--period', '1e3', 'x'],
    '--period wants a time like 500, 1.5s or 2m (ns, us, ms, s, m, h; a bare number is ms), not "1e3"',
  ],
  [['--engine', 'rust', 'x'], '--engine wants one of auto, native, js, not "rust"'],
  [['--source', 'leaf', 'x'], '--source is now --tier'],
  [['--source=leaf', 'x'], '--source is now --tier'],
  [['--tier', 'v1', 'x'], '--tier wants one of auto, cgroup, leaf, proc, not "v1"'],
  [['--id', 'a/b', 'x'], '--id wants 1 to 128 of [A-Za-z0-9_-], not "a/b"'],
  [['--id', '', 'x'], '--id wants 1 to 128 of [A-Za-z0-9_-], not ""'],
  [
    ['--tier', 'proc', '--scope', 'direct', 'x'],
    '--tier proc has no cgroup for --scope direct to make',
  ],
  [['--json', '', 'x'], '--json wants the name of a file'],
  [['--json'], '--json wants a value: --json VALUE'],
  [['--json', '--', 'x'], '--json wants a value: --json VALUE'],
  [['--quiet=yes', 'x'], '--quiet takes no value'],
  [['--perod', '5', 'x'], 'unknown option --perod; "episcope run --help" lists the options'],
  [['-q', 'x'], 'unknown option -q; "episcope run --help" lists the options'],
  [[], 'nothing to run: episcope run [options] -- command [argument…]'],
  [['--quiet', '--'], 'nothing to run: episcope run [options] -- command [argument…]'],
])('%j is refused: %s', (argv, message) => {
  expect(complaint(...argv)).toBe(message);
});

test('limits take suffixes', () => {
  const given = '--cpu-ms 1.5s --wall-ms 2m --io-bytes 64K --memory-max 512M --on-exhausted freeze';
  expect(options(...given.split(' '), 'x').limits).toEqual({
    cpuNs: 1_500_000_000n,
    wallNs: 120_000_000_000n,
    ioBytes: 65_536n,
    memoryBytes: 536_870_912n,
    onExhausted: 'freeze',
  });
  expect(options('--cpu-ms=500', 'x').limits).toEqual({ ...NO_LIMITS, cpuNs: 500_000_000n });
  expect(options('--period', '1s', 'x').periodMs).toBe(1000);
});

test.each<[string[], string]>([
  [['--cpu-ms', '0', 'x'], '--cpu-ms "0" is no limit: leave the option out for none'],
  [['--memory-max', '0G', 'x'], '--memory-max "0G" is no limit: leave the option out for none'],
  [
    ['--on-exhausted', 'kill', 'x'],
    '--on-exhausted needs a limit: --cpu-ms, --wall-ms, --io-bytes or --memory-max',
  ],
  [
    ['--cpu-ms', '1', '--on-exhausted', 'burn', 'x'],
    '--on-exhausted wants one of stop, freeze, kill, not "burn"',
  ],
])('%j is refused: %s', (argv, message) => {
  expect(complaint(...argv)).toBe(message);
});
