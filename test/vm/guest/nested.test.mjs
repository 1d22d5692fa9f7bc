import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scopes } from './cgroup.mjs';
import { measure } from './episcope.mjs';
import { PATIENCE } from './until.mjs';
import { ENGINES, program } from './workload.mjs';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const MIB = 2 ** 20;

for (const engine of ENGINES) {
  describe(`a run within a run that has all controllers (${engine})`, () => {
    const options = ['--engine', engine];
    const inner = (...more) => [process.execPath, MAIN, 'run', '--quiet', ...options, ...more];

    test('the outer one counts what the inner one does', PATIENCE, async (t) => {
      const file = `/tmp/inner-${engine}.json`;
      const command = ['sh', '-c', `${program('allocator')} --mib 64 </dev/null; exec "$@"`, 'sh'];
      const burner = [program('burner'), '--children', '20', '--each-ms', '20'];
      const { code, summary } = await measure(t, options, [
        ...inner('--json', file, '--'),
        ...command,
        ...burner,
      ]);
      const within = JSON.parse(readFileSync(file, 'utf8'));
      rmSync(file);
      assert.equal(code, 0);
      assert.deepEqual(summary.sources, { cpu: 'cgroup', memory: 'cgroup', io: 'cgroup' });
      assert.ok(within.cpu_ns >= 400e6, `${within.cpu_ns}`);
      assert.ok(summary.cpu_ns > within.cpu_ns, `${summary.cpu_ns} > ${within.cpu_ns}`);
      assert.ok(summary.mem_peak_bytes >= 64 * MIB, `${summary.mem_peak_bytes}`);
      // A cgroup with processes has no controllers for its children.
      assert.deepEqual(within.sources, { cpu: 'cgroup', memory: 'proc', io: 'proc' });
      assert.match(within.degraded_reason, /the episode that this run lives in/);
      assert.deepEqual(scopes(), []);
    });

    test('the outer one’s budget ends what the inner one started', PATIENCE, async (t) => {
      const burner = [program('burner'), '--ms', '600000'];
      const { code, summary } = await measure(
        t,
        [...options, '--cpu-ms', '6s', '--period', '100'],
        [...inner('--'), ...burner],
      );
      assert.equal(code, 137);
      assert.equal(summary.exhausted.resource, 'cpu_ms');
      assert.deepEqual(scopes(), []);
    });

    test('the kernel keeps the outer one’s memory limit', PATIENCE, async (t) => {
      const { code, summary } = await measure(
        t,
        [...options, '--memory-max', '192M'],
        [...inner('--'), program('allocator'), '--mib', '512'],
      );
      assert.equal(code, 137);
      assert.equal(summary.exhausted.resource, 'memory_bytes');
      assert.ok(summary.oom_kills >= 1);
      assert.deepEqual(scopes(), []);
    });

    test(
      'the inner one’s own memory limit is kept by looking at every frame',
      PATIENCE,
      async (t) => {
        const file = `/tmp/inner-${engine}.json`;
        const { code } = await measure(t, options, [
          ...inner('--memory-max', '64M', '--period', '20', '--json', file, '--'),
          'sh',
          '-c',
          `sleep 600 | ${program('allocator')} --mib 128`,
        ]);
        const within = JSON.parse(readFileSync(file, 'utf8'));
        rmSync(file);
        assert.equal(code, 137);
        assert.equal(within.exhausted.resource, 'memory_bytes');
        assert.equal(within.sources.memory, 'proc');
      },
    );
  });
}
