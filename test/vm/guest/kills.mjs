import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { keyed, makeNested } from './cgroup.mjs';
import { assertWholeSession, makeCollector } from './session.mjs';
import { within } from './until.mjs';
import { Launcher } from './workload.mjs';

const KILLS = 1000;
const AT_ONCE = 16;
const PERIOD_MS = 20;
const TOLERANCE_NS = 1e6;
const MOST_STALLED = 20;

/** One episode in a scope of its own, killed at a random moment of its first periods, and the scope removed. */
async function killOne({ collector, launcher, parent }, episode) {
  const cgroupPath = `${parent}/${episode}`;
  mkdirSync(cgroupPath);
  const handle = collector.start(episode, await launcher.start(cgroupPath), { cgroupPath });
  const exit = once(handle, 'exit');
  await delay(Math.random() * 3 * PERIOD_MS);
  writeFileSync(`${cgroupPath}/cgroup.kill`, '1');

  const [{ frame }] = await within(`the exit of ${episode}`, exit);
  const kernelNs = keyed(cgroupPath, 'cpu.stat').usage_usec * 1000;
  rmdirSync(cgroupPath);
  const frames = handle.readFrames();
  assertWholeSession(frames);
  assert.deepEqual(frames.at(-1), frame);
  assert.ok(frame.quality.cpu.has('final'));
  return { handle, frames, kernelNs };
}

/**
 * The test of one engine on one cpu (a mask), which this thread, the sampler and the workloads that it starts share.
 * Whoever emulates the machine lets a cpu stand still for tens of milliseconds when he is busy, and a task that dies on
 * another one then is charged for them after any settling. On the same one that is rare: it takes a task that was
 * preempted in its last steps, when its cgroup was empty already, and a cpu that stood still when it went on (two of a
 * thousand on a busy host).
 */
export function testKills(engine, cpu) {
  execFileSync('taskset', ['-p', cpu, String(process.pid)]);
  test(`${KILLS} kills are ${KILLS} terminal frames with the totals of cpu.stat, and nothing after them (${engine})`, {
    timeout: 300_000,
  }, async (t) => {
    const given = {
      collector: makeCollector(engine, { periodMs: PERIOD_MS, capacity: 256 }),
      launcher: new Launcher(t),
      parent: makeNested(t).parent,
    };
    const ended = [];
    let started = 0;
    const killSome = async () => {
      while (started < KILLS) ended.push(await killOne(given, `kill-${started++}`));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, killSome));

    assert.equal(ended.length, KILLS);
    for (const { handle, frames } of ended) assert.equal(handle.seq, frames.length);
    const totals = ended.map(({ handle, frames, kernelNs }) => [
      handle.episodeId,
      frames.at(-1).cpuNs,
      kernelNs,
    ]);
    const tooMuch = totals.filter(([, cpuNs, kernelNs]) => cpuNs > kernelNs);
    assert.deepEqual(tooMuch, [], 'episodes, their terminal cpuNs, the less that cpu.stat says');
    const tooLittle = totals.filter(([, cpuNs, kernelNs]) => cpuNs < kernelNs - TOLERANCE_NS);
    if (tooLittle.length > 0) t.diagnostic(`behind cpu.stat: ${tooLittle.join(' | ')}`);
    assert.ok(
      tooLittle.length <= MOST_STALLED,
      `${tooLittle.length} terminal frames are behind cpu.stat`,
    );
  });
}
