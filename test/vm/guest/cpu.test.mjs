import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptied, makeCgroup } from './cgroup.mjs';
import { assertWholeSession, startSession } from './session.mjs';
import { PATIENCE } from './until.mjs';
import { assertCpu, BURNS, burnerCpu, ENGINES, startWorkload } from './workload.mjs';

for (const engine of ENGINES) {
  describe(`cpu of a session agrees with getrusage (${engine})`, () => {
    for (const tier of ['cgroup', 'leaf']) {
      for (const [name, args] of Object.entries(BURNS)) {
        test(`${tier}: ${name}`, PATIENCE, async (t) => {
          const cgroupPath = makeCgroup(t);
          const burner = startWorkload(t, cgroupPath, 'burner', ...args);
          const session = startSession(t, engine, burner.pid, { cgroupPath, tier });
          const truth = burnerCpu(await burner.line());
          await burner.exited;
          await emptied(cgroupPath);
          const frames = await session.handle.stop();
          assertWholeSession(frames);
          const terminal = frames.at(-1);
          assert.equal(terminal.sources.cpu, 'cgroup');
          assert.ok(terminal.quality.cpu.has('final'));
          assertCpu(terminal.cpuNs, truth, { inCgroup: true });
        });
      }
    }
  });
}
