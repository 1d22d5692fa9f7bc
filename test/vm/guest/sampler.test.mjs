import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { makeCgroup, removeCgroup } from './cgroup.mjs';
import { assertFinalCpu, assertWholeSession, startSession } from './session.mjs';
import { PATIENCE, until, within } from './until.mjs';
import { ENGINES, Program, program, startWorkload } from './workload.mjs';

/** No sample but the first is due while a test lasts. */
const AN_HOUR = { periodMs: 3_600_000 };

/** A shell script inside a cgroup. */
const shell = (t, cgroup, script) => new Program(t, program('enter'), [cgroup, 'sh', '-c', script]);

const exitOf = async (handle) => (await within('the exit event', once(handle, 'exit')))[0].frame;

/** The two frames of a session whose period never came, with the kernel's total. */
async function assertInitialAndTerminal(handle, cgroup) {
  const frames = await handle.stop();
  assertWholeSession(frames);
  assert.equal(frames.length, 2);
  assertFinalCpu(frames[1], cgroup);
}

for (const engine of ENGINES) {
  describe(`the end is noticed when no sample is due (${engine})`, () => {
    test('a kill, with the final totals', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const workload = startWorkload(t, cgroupPath, 'allocator', '--mib', '8');
      assert.equal(await workload.line(), 'ready');
      const { handle } = startSession(t, engine, workload.pid, { cgroupPath, ...AN_HOUR });
      const exit = exitOf(handle);
      workload.child.kill('SIGKILL');
      assert.ok((await exit).o11yFlags.terminal);
      await assertInitialAndTerminal(handle, cgroupPath);
    });

    test('the end of survivors, where the root process was gone before', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const root = shell(t, cgroupPath, 'sleep 1000 >/dev/null & echo $!');
      const survivor = Number(await root.line());
      await root.exited;
      const { handle } = startSession(t, engine, root.pid, { cgroupPath, ...AN_HOUR });
      const exit = exitOf(handle);
      process.kill(survivor, 'SIGKILL');
      await exit;
      await assertInitialAndTerminal(handle, cgroupPath);
    });

    test('survivors of the root process end the episode when they end', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const root = shell(t, cgroupPath, 'read go; sleep 1000 >/dev/null & echo $!');
      const { handle } = startSession(t, engine, root.pid, { cgroupPath, ...AN_HOUR });
      const exit = exitOf(handle);
      root.say('go');
      const survivor = Number(await root.line());
      await root.exited;
      const between = await handle.sampleNow();
      assert.equal(between.o11yFlags.terminal, false);
      assert.equal(handle.snapshot().stopped, false);
      process.kill(survivor, 'SIGKILL');
      const frame = await exit;
      assert.equal(frame.seq, 2);
      assertFinalCpu(frame, cgroupPath);
      assertWholeSession(await handle.stop());
    });

    test('an episode of 5 ms has its initial and its terminal frame', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const burner = shell(t, cgroupPath, `read go; exec ${program('burner')} --ms 5`);
      const { handle } = startSession(t, engine, burner.pid, { cgroupPath, ...AN_HOUR });
      const exit = exitOf(handle);
      burner.say('go');
      assert.ok((await exit).cpuNs >= 5e6);
      await assertInitialAndTerminal(handle, cgroupPath);
    });

    test('a cgroup removed under a session ends it', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const workload = startWorkload(t, cgroupPath, 'allocator', '--mib', '8');
      assert.equal(await workload.line(), 'ready');
      const { handle } = startSession(t, engine, workload.pid, { cgroupPath, ...AN_HOUR });
      const before = handle.latest();
      const exit = exitOf(handle);
      await removeCgroup(cgroupPath);
      const frame = await exit;
      assert.equal(existsSync(cgroupPath), false);
      assert.ok(frame.cpuNs >= before.cpuNs);
      assertWholeSession(await handle.stop());
    });
  });

  describe(`sampling off the event loop (${engine})`, () => {
    test('frames go on while the event loop is blocked', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const workload = startWorkload(t, cgroupPath, 'allocator', '--mib', '8');
      assert.equal(await workload.line(), 'ready');
      const { handle } = startSession(t, engine, workload.pid, { cgroupPath });
      // The JS engine's worker may need this thread until it runs.
      await until('a first sample', () => handle.seq >= 2);
      const wanted = handle.seq + 10;
      const bound = performance.now() + 60_000;
      while (handle.seq < wanted) assert.ok(performance.now() < bound, 'no frame came meanwhile');
      assertWholeSession(await handle.stop());
    });

    test('a tripwire on memory quadruples the rate until it is released', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const go = `read go; exec ${program('allocator')} --mib 96`;
      const allocator = shell(t, cgroupPath, go);
      const { handle } = startSession(t, engine, allocator.pid, {
        cgroupPath,
        periodMs: 400,
        tripwires: [{ metric: 'memRssBytes', atLeast: 64 << 20, speedUp: true }],
      });
      assert.equal(handle.snapshot().highFreqActive, false);
      const threshold = within('the threshold event', once(handle, 'threshold'));
      allocator.say('go');
      const [{ seq }] = await threshold;
      await until('some frames at the higher rate', () => handle.seq >= seq + 10);
      assert.equal(handle.snapshot().highFreqActive, true);
      assert.equal(await allocator.line(), 'ready');
      allocator.say('free');
      assert.equal(await allocator.line(), 'freed');
      await until('the old rate', () => !handle.latest().o11yFlags.highFrequency);
      const frames = await handle.stop();

      assertWholeSession(frames);
      const fast = frames.filter((frame) => frame.o11yFlags.highFrequency);
      // The frame that trips it is the first that is marked.
      assert.equal(fast[0].seq, seq);
      assert.ok(fast[0].memRssBytes >= 64 << 20);
      assert.ok(frames[seq - 1].memRssBytes < 64 << 20);
      const gapsMs = fast.slice(1).map((frame, i) => (frame.tsMono - fast[i].tsMono) / 1e6);
      const medianMs = gapsMs.sort((a, b) => a - b)[gapsMs.length >> 1];
      assert.ok(medianMs > 50 && medianMs < 200, `one every ${medianMs} ms`);
    });
  });
}

describe('the end is noticed when no sample is due (native)', () => {
  test('by the pidfd, where there is no cgroup', PATIENCE, async (t) => {
    const workload = startWorkload(t, null, 'allocator', '--mib', '8');
    assert.equal(await workload.line(), 'ready');
    const { handle } = startSession(t, 'native', workload.pid, { tier: 'proc', ...AN_HOUR });
    const exit = exitOf(handle);
    await workload.kill();
    assert.ok((await exit).o11yFlags.terminal);
    assert.equal((await handle.stop()).length, 2);
  });
});
