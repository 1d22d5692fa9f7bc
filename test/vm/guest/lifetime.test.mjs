import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { ProcReader } from 'episcope';
import { makeCgroup, removeCgroup } from './cgroup.mjs';
import { assertWholeSession, startSession } from './session.mjs';
import { PATIENCE, until, within } from './until.mjs';
import { ENGINES, startWorkload } from './workload.mjs';

for (const engine of ENGINES) {
  describe(`the end of an episode (${engine})`, () => {
    test('a cgroup removed mid-sampling ends the session with its totals', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const workload = startWorkload(t, cgroupPath, 'allocator', '--mib', '16');
      assert.equal(await workload.line(), 'ready');
      const { handle } = startSession(t, engine, workload.pid, { cgroupPath });
      const stopped = once(handle, 'stopped');
      const before = await until('some frames', () => handle.seq >= 3 && handle.latest());

      await removeCgroup(cgroupPath);
      const [{ reason }] = await within('the end of the session', stopped);
      assert.equal(reason, 'exit');
      const frames = await handle.stop();
      assertWholeSession(frames);
      assert.ok(frames.at(-1).cpuNs >= before.cpuNs);
      assert.ok(frames.at(-1).ioReadBytes >= before.ioReadBytes);
    });

    test(
      'a cgroup removed between two frames of a manual session: no throw',
      PATIENCE,
      async (t) => {
        const cgroupPath = makeCgroup(t);
        const workload = startWorkload(t, cgroupPath, 'allocator', '--mib', '16');
        assert.equal(await workload.line(), 'ready');
        const options = { cgroupPath, manual: true };
        const { handle, collect } = startSession(t, engine, workload.pid, options);
        const before = collect();
        await removeCgroup(cgroupPath);
        collect();
        const frames = await handle.stop();
        assertWholeSession(frames);
        assert.equal(frames.length, 3);
        // How its child ended tells the native engine what no file told any more.
        const { cpuNs } = frames.at(-1);
        if (engine === 'native') assert.ok(cpuNs >= before.cpuNs, `${cpuNs}`);
        else assert.equal(cpuNs, before.cpuNs);
      },
    );

    test('a pid that exits between two reads: ERR_PROC_GONE from a reader', PATIENCE, async (t) => {
      const workload = startWorkload(t, null, 'allocator', '--mib', '16');
      assert.equal(await workload.line(), 'ready');
      const reader = new ProcReader(workload.pid, { engine });
      t.after(() => reader.close());
      assert.ok(reader.readMemory().rssBytes > 0);
      await workload.kill();
      for (const read of ['readCpu', 'readMemory', 'readIo', 'readAll']) {
        assert.throws(() => reader[read](), { code: 'ERR_PROC_GONE' }, read);
      }
    });

    test('a pid that exits between two reads: the end of a session', PATIENCE, async (t) => {
      const workload = startWorkload(t, null, 'allocator', '--mib', '16');
      assert.equal(await workload.line(), 'ready');
      const { handle } = startSession(t, engine, workload.pid, { tier: 'proc' });
      const stopped = once(handle, 'stopped');
      const before = await until('some frames', () => handle.seq >= 3 && handle.latest());
      await workload.kill();
      const [{ reason, frame }] = await within('the end of the session', stopped);
      assert.equal(reason, 'exit');
      const frames = await handle.stop();
      assertWholeSession(frames);
      assert.deepEqual(frames.at(-1), frame);
      assert.ok(frame.cpuNs >= before.cpuNs);
    });
  });
}
