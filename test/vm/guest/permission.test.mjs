import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeCgroup, scopes } from './cgroup.mjs';
import { measure } from './episcope.mjs';
import { PATIENCE } from './until.mjs';
import { ENGINES, Program, startWorkload } from './workload.mjs';

const NOBODY = { uid: 65534, gid: 65534 };
const SCRIPT = fileURLToPath(new URL('unprivileged.mjs', import.meta.url));

async function readAsNobody(t, ...args) {
  const script = new Program(t, process.execPath, [SCRIPT, ...args.map(String)], NOBODY);
  return JSON.parse(await script.line());
}

for (const engine of ENGINES) {
  describe(`EACCES on one file costs that metric and nothing else (${engine})`, () => {
    test('/proc/<pid>/io of another user', PATIENCE, async (t) => {
      const workload = startWorkload(t, null, 'allocator', '--mib', '4');
      assert.equal(await workload.line(), 'ready');
      const { reader, session } = await readAsNobody(t, engine, 'proc', workload.pid);
      assert.ok(reader.cpu.available);
      assert.ok(reader.memory.available);
      assert.equal(reader.io.error.code, 'ERR_PROC_READ');
      assert.equal(reader.io.error.errno, 'EACCES');
      for (const sources of session.sources) {
        assert.deepEqual(sources, { cpu: 'proc', memory: 'proc', io: 'unavailable' });
      }
      assert.equal(session.warnings.filter(({ errno }) => errno === 'EACCES').length, 1);
    });

    test('one file of a cgroup', PATIENCE, async (t) => {
      const cgroup = makeCgroup(t);
      const workload = startWorkload(t, cgroup, 'allocator', '--mib', '4');
      assert.equal(await workload.line(), 'ready');
      chmodSync(`${cgroup}/io.stat`, 0);
      const { reader, session } = await readAsNobody(t, engine, 'cgroup', cgroup, workload.pid);
      assert.ok(reader.cpu.available);
      assert.ok(reader.memory.available);
      assert.equal(reader.io.available, false);
      assert.equal(reader.io.error.code, 'ERR_CGROUP_READ');
      assert.equal(reader.io.error.errno, 'EACCES');
      for (const sources of session.sources) {
        assert.equal(sources.cpu, 'cgroup');
        assert.equal(sources.memory, 'cgroup');
        assert.notEqual(sources.io, 'cgroup');
      }
    });

    test(
      'episcope run without the right to make a scope measures the process tree',
      PATIENCE,
      async (t) => {
        const options = ['--engine', engine];
        const { summary, code } = await measure(t, options, ['sh', '-c', 'exit 5'], NOBODY);
        assert.equal(code, 5);
        assert.equal(summary.sources.cpu, 'proc');
        assert.equal(typeof summary.degraded_reason, 'string');
        assert.deepEqual(scopes(), []);
      },
    );
  });
}
