import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CgroupReader } from 'episcope';
import { makeCgroup, text } from './cgroup.mjs';
import { measure } from './episcope.mjs';
import { startSession } from './session.mjs';
import { PATIENCE, until } from './until.mjs';
import { assertMemory, ENGINES, program, startWorkload } from './workload.mjs';

const MIB = 96;
const ALLOCATED = MIB << 20;

for (const engine of ENGINES) {
  describe(`memory of a known allocation (${engine})`, () => {
    for (const tier of ['cgroup', 'leaf', 'proc']) {
      test(`${tier}: rss follows it, the peak remembers it`, PATIENCE, async (t) => {
        const cgroupPath = makeCgroup(t);
        const allocator = startWorkload(t, cgroupPath, 'allocator', '--mib', String(MIB));
        assert.equal(await allocator.line(), 'ready');
        const options = { tier, manual: true, ...(tier === 'proc' ? {} : { cgroupPath }) };
        const { collect } = startSession(t, engine, allocator.pid, options);

        const full = collect();
        assert.equal(full.sources.memory, tier === 'cgroup' ? 'cgroup' : 'proc');
        assertMemory(full.memRssBytes, ALLOCATED);
        assertMemory(full.memPeakBytes, ALLOCATED);
        assert.ok(full.memPeakBytes >= full.memRssBytes);

        allocator.say('free');
        assert.equal(await allocator.line(), 'freed');
        const freed = await until('the memory given back', () => {
          const frame = collect();
          return frame.memRssBytes < ALLOCATED / 10 && frame;
        });
        assertMemory(freed.memPeakBytes, ALLOCATED);
      });
    }

    test('memPeakBytes is memory.peak, memCurrentBytes is memory.current', PATIENCE, async (t) => {
      const cgroup = makeCgroup(t);
      const allocator = startWorkload(t, cgroup, 'allocator', '--mib', '8');
      assert.equal(await allocator.line(), 'ready');
      const reader = CgroupReader.fromPath(cgroup, { engine });
      t.after(() => reader.close());
      const memory = reader.readMemory();
      assert.equal(memory.source, 'cgroup');
      assert.equal(memory.peakBytes, Number(text(cgroup, 'memory.peak')));
      assert.equal(memory.currentBytes, Number(text(cgroup, 'memory.current')));
    });

    test('episcope run tells the peak of a command that has ended', PATIENCE, async (t) => {
      const command = [program('allocator'), '--mib', String(MIB)];
      const { summary } = await measure(t, ['--engine', engine], command);
      assert.equal(summary.exit_code, 0);
      assertMemory(summary.mem_peak_bytes, ALLOCATED);
    });
  });
}
