/** `episcope run` where systemd keeps the cgroups. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scopes } from '../guest/cgroup.mjs';
import { measure } from '../guest/episcope.mjs';
import { PATIENCE, until } from '../guest/until.mjs';
import { assertCpu, BURNS, burnerCpu, ENGINES, program } from '../guest/workload.mjs';

for (const engine of ENGINES) {
  describe(`episcope run in a scope of systemd (${engine})`, () => {
    for (const name of ['sequential short-lived children', 'daemonized grandchildren']) {
      test(`cpu agrees with getrusage: ${name}`, PATIENCE, async (t) => {
        const options = ['--engine', engine, '--scope', 'systemd'];
        const run = await measure(t, options, [program('burner'), ...BURNS[name]]);
        assert.equal(run.code, 0);
        assert.deepEqual(run.summary.sources, { cpu: 'cgroup', memory: 'cgroup', io: 'cgroup' });
        assert.equal(run.summary.degraded_reason, null);
        assertCpu(run.summary.cpu_ns, burnerCpu(run.lines[0]), { inCgroup: true });
        // Whoever was faster, the sampler or the manager: all of it was told.
        assert.deepEqual(run.summary.quality.cpu, ['final']);
        assert.doesNotMatch(run.stderr, /cpu +at least/);
        await until('the scope removed', () => scopes().length === 0);
      });
    }
  });
}

test('episcope run without the addon: the cpu that systemd tells', PATIENCE, async (t) => {
  const env = { ...process.env, NODE_OPTIONS: '--no-addons' };
  const burns = BURNS['sequential short-lived children'];
  const run = await measure(t, ['--scope', 'systemd'], [program('burner'), ...burns], { env });
  assert.equal(run.code, 0);
  assert.equal(run.summary.engine, 'js');
  assert.equal(run.summary.sources.cpu, 'cgroup');
  assertCpu(run.summary.cpu_ns, burnerCpu(run.lines[0]), { inCgroup: true });
  await until('the scope removed', () => scopes().length === 0);
});

test(
  'episcope run by default asks systemd, and kills what is left with its scope',
  PATIENCE,
  async (t) => {
    const script = 'cat /proc/self/cgroup; sleep 600 & exit 3';
    const run = await measure(t, ['--id', 'leaves'], ['/bin/sh', '-c', script]);
    assert.equal(run.code, 3);
    assert.deepEqual(run.lines, ['0::/episcope.slice/episode-leaves.scope']);
    await until('the scope removed', () => scopes().length === 0);
  },
);

test('--memory-max is the kernel’s limit in a scope of systemd', PATIENCE, async (t) => {
  const options = ['--scope', 'systemd', '--memory-max', '32M'];
  const run = await measure(t, options, [
    '/bin/sh',
    '-c',
    `${program('allocator')} --mib 96; sleep 1000`,
  ]);
  assert.equal(run.code, 137);
  const { exhausted, signal } = run.summary;
  // systemd may have removed the scope before the last look at memory.events; this one keeps no word of an oom kill.
  if (exhausted === null) {
    assert.equal(signal, 'SIGKILL');
    t.diagnostic('the end was missed: nobody tells of the oom kill');
    return;
  }
  assert.equal(exhausted.resource, 'memory_bytes');
  assert.equal(exhausted.action, 'oom_kill');
});
