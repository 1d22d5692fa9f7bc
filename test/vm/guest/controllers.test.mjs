import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CgroupReader } from 'episcope';
import { makeNested, setControllers } from './cgroup.mjs';
import { assertNeverBackwards, startSession } from './session.mjs';
import { PATIENCE } from './until.mjs';
import { ENGINES, startWorkload } from './workload.mjs';

for (const engine of ENGINES) {
  describe(`a controller turned off and on (${engine})`, () => {
    for (const [part, controller] of [
      ['memory', 'memory'],
      ['io', 'io'],
    ]) {
      test(
        `${controller}: from the cgroup to /proc and back, counters go on`,
        PATIENCE,
        async (t) => {
          const { parent, cgroup } = makeNested(t);
          const workload = startWorkload(t, cgroup, 'allocator', '--mib', '16');
          assert.equal(await workload.line(), 'ready');
          const { handle, collect } = startSession(t, engine, workload.pid, {
            cgroupPath: cgroup,
            manual: true,
          });
          const events = [];
          handle.on('source', ({ sources, seq }) => events.push([seq, sources[part]]));

          const frames = [collect()];
          setControllers(parent, `-${controller}`);
          frames.push(collect(), collect());
          setControllers(parent, `+${controller}`);
          frames.push(collect(), collect());

          assert.deepEqual(
            frames.map((frame) => frame.sources[part]),
            ['cgroup', 'proc', 'proc', 'cgroup', 'cgroup'],
          );
          assert.deepEqual(
            frames.map((frame) => frame.quality[part].has('rebased')),
            [false, true, false, true, false],
          );
          assert.deepEqual(events, [
            [1, 'proc'],
            [3, 'cgroup'],
          ]);
          assert.ok(frames.every((frame) => frame.sources.cpu === 'cgroup'));
          assertNeverBackwards(frames);
        },
      );
    }

    test(
      'a reader says which controller is not enabled, and finds it again',
      PATIENCE,
      async (t) => {
        const { parent, cgroup } = makeNested(t);
        const reader = CgroupReader.fromPath(cgroup, { engine });
        t.after(() => reader.close());
        assert.ok(reader.readMemory().isAvailable);
        setControllers(parent, '-memory');
        const absent = reader.readMemory();
        assert.equal(absent.isAvailable, false);
        assert.equal(absent.error.code, 'ERR_CONTROLLER_NOT_ENABLED');
        assert.ok(reader.readCpu().isAvailable);
        setControllers(parent, '+memory');
        assert.ok(reader.readMemory().isAvailable);
      },
    );
  });
}
