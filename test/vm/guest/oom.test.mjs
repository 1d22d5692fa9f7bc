import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CGROUP_ROOT, emptied, keyed, makeCgroup, SLICE, setControllers } from './cgroup.mjs';
import { measure } from './episcope.mjs';
import { assertWholeSession, startSession } from './session.mjs';
import { PATIENCE } from './until.mjs';
import { ENGINES, program, startWorkload } from './workload.mjs';

const LIMIT = String(64 << 20);
const TOO_MUCH = ['--mib', '300'];

/** A limit on the slice that `episcope run` puts its scopes in. */
function limitSlice(t) {
  setControllers(CGROUP_ROOT, '+memory');
  mkdirSync(SLICE, { recursive: true });
  writeFileSync(`${SLICE}/memory.max`, LIMIT);
  t.after(() => {
    if (existsSync(SLICE)) rmdirSync(SLICE);
  });
}

for (const engine of ENGINES) {
  describe(`a kill for want of memory is seen (${engine})`, () => {
    test('in the terminal frame of a session', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      writeFileSync(`${cgroupPath}/memory.max`, LIMIT);
      const allocator = startWorkload(t, cgroupPath, 'allocator', ...TOO_MUCH);
      const { handle } = startSession(t, engine, allocator.pid, { cgroupPath });
      assert.equal((await allocator.exited).signal, 'SIGKILL');
      await emptied(cgroupPath);
      const frames = await handle.stop();
      assertWholeSession(frames);
      assert.equal(frames.at(-1).oomKills, keyed(cgroupPath, 'memory.events').oom_kill);
      assert.ok(frames.at(-1).oomKills >= 1);
    });

    test('in the summary of episcope run, where the limit is a parent’s', PATIENCE, async (t) => {
      limitSlice(t);
      const command = [program('allocator'), ...TOO_MUCH];
      const { summary, code } = await measure(t, ['--engine', engine], command);
      assert.equal(code, 128 + 9);
      assert.equal(summary.exit_code, null);
      assert.equal(summary.signal, 'SIGKILL');
      assert.ok(summary.oom_kills >= 1);
    });
  });
}
