import { describe, expect, test } from 'vitest';
import { INSTALLS, measure, tempFile, workload } from '../support/cli.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`--tier leaf is not tested here: ${noLeaf}`);

const TIERS = noLeaf === null ? ['leaf', 'proc'] : ['proc'];

// What the burner says of itself is the truth: fork and exit cost real cpu beside what it burns.
const SHAPES = [
  ['sequential children', ['--children', '60', '--each-ms', '8']],
  ['parallel children', ['--children', '60', '--each-ms', '8', '--parallel', '4']],
  ['daemonized grandchildren', ['--children', '60', '--each-ms', '8', '--daemonize']],
] as const;

interface Rusage {
  readonly user_us: number;
  readonly system_us: number;
}

function usedNs(line: string): number {
  const { user_us, system_us } = JSON.parse(line) as Rusage;
  return (user_us + system_us) * 1000;
}

function expectClose(cpuNs: number | null, stdout: string): void {
  const lines = stdout.trim().split('\n');
  expectNear(cpuNs, usedNs(lines.at(-1) ?? ''));
}

function expectNear(cpuNs: number | null, truthNs: number): void {
  const difference = Math.abs((cpuNs ?? 0) - truthNs);
  expect(difference, `${cpuNs} ns against ${truthNs} ns`).toBeLessThanOrEqual(
    truthNs * 0.05 + 20e6,
  );
}

describe.each(TIERS)('--tier %s agrees with the workload’s own rusage', (tier) => {
  describe.each(['native', 'js'])('on the %s engine', (engine) => {
    test.each(SHAPES)('%s', async (_, args) => {
      const { code, stdout, summary } = await measure([
        '--period',
        '20',
        '--tier',
        tier,
        '--engine',
        engine,
        workload('burner'),
        ...args,
      ]);
      expect(code).toBe(0);
      expect(summary).toMatchObject({
        engine,
        sources: { cpu: tier === 'leaf' ? 'cgroup' : 'proc', memory: 'proc', io: 'proc' },
      });
      expectClose(summary.cpu_ns, String(stdout));
    });
  });
});

test.skipIf(noLeaf !== null)(
  'a leaf is exact without the addon too, daemons included',
  async () => {
    const { stdout, summary } = await measure(
      ['--tier', 'leaf', workload('burner'), ...SHAPES[2][1]],
      { env: INSTALLS[1].env },
    );
    expectClose(summary.cpu_ns, String(stdout));
  },
);

test('two seconds of cpu in 200 short-lived children, in a process tree', async () => {
  const burn = ['--children', '200', '--each-ms', '10'];
  const { stdout, summary } = await measure(['--tier', 'proc', workload('burner'), ...burn]);
  expectClose(summary.cpu_ns, String(stdout));
});

// The child burns, its parent and it are killed at once, and the root goes on: the root reaps the parent, and the
// child, by then an orphan, is reaped by episcope.
const BRANCH = `
export BURNER="$1" READY="$2"
export CHILD='"$BURNER" --ms 200; echo $$ > "$READY"; exec sleep 60'
mkfifo "$READY"
sh -c 'sh -c "$CHILD" & wait' &
parent=$!
read -r child < "$READY"
sleep 0.2
kill -KILL "$parent" "$child"
wait "$parent"
"$BURNER" --ms 150
rm "$READY"
`;

test.each(ENGINES)(
  'a parent and its child that end within one period count once, on the %s engine',
  async (engine) => {
    const ready = tempFile('ready');
    const { code, stdout, summary } = await measure([
      '--period',
      '20',
      '--tier',
      'proc',
      '--engine',
      engine,
      'sh',
      '-c',
      BRANCH,
      'sh',
      workload('burner'),
      ready,
    ]);
    expect(code).toBe(0);
    const burnt = String(stdout).trim().split('\n');
    expect(burnt).toHaveLength(2);
    expectNear(
      summary.cpu_ns,
      burnt.map(usedNs).reduce((sum, ns) => sum + ns),
    );
  },
);

test('a synced write shows in full, the memory held as well', async () => {
  const file = new URL(`../../.cache/accuracy-${process.pid}`, import.meta.url).pathname;
  const bytes = 4 * 1024 * 1024;
  const { summary } = await measure([
    '--period',
    '10',
    'sh',
    '-c',
    '"$@"; rm "$3"',
    'sh',
    workload('writer'),
    '--path',
    file,
    '--bytes',
    String(bytes),
  ]);
  expect(Number(summary.io_write_bytes)).toBeGreaterThanOrEqual(bytes);
});
