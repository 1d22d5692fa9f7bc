import { expect, test } from 'vitest';
import { parseRunOptions, type RunOptions } from '../../src/cli/run-options.js';
import { UsageError } from '../../src/cli/usage.js';

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
    source: 'auto',
    jsonFile: null,
    recordFile: null,
    quiet: false,
  });
});

test('every option, with a space or an equals sign', () => {
  const expected = {
    periodMs: 20,
    engine: 'js',
    source: 'leaf',
    jsonFile: 'a=b.json',
    recordFile: 'r',
    id: 'job_1',
    quiet: true,
  };
  const spaced =
    '--period 20 --engine js --source leaf --json a=b.json --record r --id job_1 --quiet';
  expect(options(...spaced.split(' '), '--', 'x')).toMatchObject(expected);
  const joined =
    '--period=20 --engine=js --source=leaf --json=a=b.json --record=r --id=job_1 --quiet';
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
  [['--period', '-5', 'x'], '--period wants whole ms from 1 to 3600000, not "-5"'],
  [['--period', '3600001', 'x'], '--period wants whole ms from 1 to 3600000, not "3600001"'],
  [['--period=', 'x'], '--period wants whole ms from 1 to 3600000, not ""'],
  [['--period', '1e3', 'x'], '--period wants whole ms from 1 to 3600000, not "1e3"'],
  [['--engine', 'rust', 'x'], '--engine wants one of auto, native, js, not "rust"'],
  [['--source', 'v1', 'x'], '--source wants one of auto, cgroup, leaf, proc, not "v1"'],
  [['--id', 'a/b', 'x'], '--id wants 1 to 128 of [A-Za-z0-9_-], not "a/b"'],
  [['--id', '', 'x'], '--id wants 1 to 128 of [A-Za-z0-9_-], not ""'],
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
