import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  expectUnharmed,
  FOREIGN,
  startBystanders,
  whyNoPidNamespace,
} from '../support/bystanders.js';
import { CLI, INSTALLS, type SummaryJson, tempFile } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';

const whyNot = whyNoPidNamespace();
if (whyNot !== null) console.log(`the procfs of another pid namespace: skipped, ${whyNot}`);
const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`measuring by a cgroup alone: skipped, ${noLeaf}`);

/** In a pid namespace with the /proc of the outer one, where the next numbers are the bystanders'. */
function inside(env: Readonly<Record<string, string>>, ...args: string[]) {
  const first = startBystanders();
  const numbers = `echo ${first - 1} > /proc/sys/kernel/ns_last_pid; exec "$@"`;
  const command = ['-pf', 'sh', '-c', numbers, 'sh', process.execPath, CLI, ...args];
  return spawnSync('unshare', command, {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    encoding: 'utf8',
  });
}

describe.skipIf(whyNot !== null).each(INSTALLS)('in a foreign /proc, $name', ({ env }) => {
  test('run refuses what it cannot measure', () => {
    const { status, stdout, stderr } = inside(env, 'run', '--tier', 'proc', '--', 'echo', 'x');
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toMatch(FOREIGN);
    expect(stderr).toContain('so it was not run');
    expectUnharmed();
  });

  test.skipIf(noLeaf !== null)('run tells what the cgroup knows, and why no more', () => {
    const file = tempFile('foreign.json');
    const script = '(setsid sleep 1000 &); exit 3';
    const { status, stderr } = inside(env, 'run', '--json', file, '--', 'sh', '-c', script);
    const summary = JSON.parse(readFileSync(file, 'utf8')) as SummaryJson;
    rmSync(file);
    expect(status).toBe(3);
    expect(summary).toMatchObject({ exit_code: 3, sources: { cpu: 'cgroup' } });
    expect(summary.cpu_ns).toBeGreaterThan(0);
    if (summary.sources.memory !== 'cgroup') {
      expect(summary).toMatchObject({
        mem_rss_max_bytes: null,
        mem_peak_bytes: null,
        io_read_bytes: null,
        sources: { memory: 'unavailable', io: 'unavailable' },
        degraded_reason: expect.stringMatching(FOREIGN),
      });
      expect(stderr.split('another pid namespace')).toHaveLength(2);
    }
    expectUnharmed();
  });

  test('doctor tells it', () => {
    const { status, stdout } = inside(env, 'doctor', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout).proc).toEqual({
      available: false,
      reason: expect.stringMatching(FOREIGN),
    });
  });
});
