import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { scopes } from './cgroup.mjs';
import { measure } from './episcope.mjs';
import { PATIENCE } from './until.mjs';
import { assertCpu, BURNS, burnerCpu, ENGINES, program } from './workload.mjs';

// With a cgroup every shape of burning is told by the same file, which the sessions' tests go through;
// the process tree must keep its own books, so there each shape is a case of its own.
const CASES = [
  ['cgroup', 'daemonized grandchildren'],
  ['leaf', 'daemonized grandchildren'],
  ...Object.keys(BURNS).map((name) => ['proc', name]),
];

for (const engine of ENGINES) {
  describe(`cpu of episcope run agrees with getrusage (${engine})`, () => {
    test('two seconds in 200 short-lived children, every frame recorded', PATIENCE, async (t) => {
      const record = `/tmp/record-${engine}.ndjson`;
      const burner = [program('burner'), '--children', '200', '--each-ms', '10'];
      const options = ['--engine', engine, '--record', record];
      const { summary, lines, code } = await measure(t, options, burner);
      assert.equal(code, 0);
      assert.equal(summary.engine, engine);
      assert.deepEqual(summary.sources, { cpu: 'cgroup', memory: 'cgroup', io: 'cgroup' });
      assert.equal(summary.degraded_reason, null);
      // The promise as it stands: nothing is allowed for the launch.
      assertCpu(summary.cpu_ns, burnerCpu(lines[0]), { inCgroup: false });
      assert.ok(summary.cpu_ns >= summary.cpu_user_ns + summary.cpu_system_ns);

      const [header, ...frames] = readFileSync(record, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const end = frames.pop();
      assert.equal(header.schema, 'episcope.frames.v1');
      assert.equal(end.frames_recorded, summary.frames);
      assert.equal(frames.length, summary.frames);
      assert.deepEqual(
        frames.map((frame) => frame.seq),
        frames.map((_, index) => index),
      );
      assert.ok(frames[0].o11y_flags.initial);
      assert.ok(frames.at(-1).o11y_flags.terminal);
      assert.equal(frames.at(-1).cpu_ns, summary.cpu_ns);
    });

    for (const [tier, name] of CASES) {
      test(`${tier}: ${name}`, PATIENCE, async (t) => {
        const options = ['--engine', engine, '--tier', tier, '--period', '50'];
        const run = await measure(t, options, [program('burner'), ...BURNS[name]]);
        const inCgroup = tier !== 'proc';
        assert.equal(run.code, 0);
        assert.equal(run.summary.sources.cpu, inCgroup ? 'cgroup' : 'proc');
        assertCpu(run.summary.cpu_ns, burnerCpu(run.lines[0]), { inCgroup });
        assert.deepEqual(scopes(), []);
      });
    }
  });
}
