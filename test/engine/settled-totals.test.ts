import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selectEngine } from '../../src/engine/select.js';
import { createRing, FrameReader } from '../../src/ring/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';

describe.each(ENGINES)('a cgroup that is removed while its totals settle, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  let root: ChildProcess;
  beforeEach(() => {
    cgroup = new FixtureCgroup();
    root = spawn('sleep', ['1000']);
  });
  afterEach(() => {
    cgroup.remove();
    root.kill('SIGKILL');
  });

  const open = () => {
    const ring = createRing({
      episodeId: 'fixture',
      pid: root.pid!,
      startMonoNs: process.hrtime.bigint(),
      capacity: 8,
    });
    const episode = selectEngine(engine).openEpisode({
      episodeId: 'fixture',
      pid: root.pid!,
      ring,
      tier: 'auto',
      cgroup: { root: cgroup.path, path: '', requireCgroupfs: false },
      procRoot: '/proc',
      reaperPid: 0,
      memoryStatPeriodNs: 0n,
      budget: null,
      onExhausted: 'stop',
    });
    /** The root and the episode end; the totals are read for the first time. */
    const beginSettling = async () => {
      const exited = once(root, 'exit');
      root.kill('SIGKILL');
      await exited;
      cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
      episode.requestEnd();
      expect(episode.wake()).toBe(false);
    };
    const settle = async () => {
      while (!episode.wake()) await immediate();
    };
    return { episode, beginSettling, settle, reader: new FrameReader({ ring }) };
  };

  it('the totals that were read last are the terminal frame’s, and not called final', async () => {
    const { episode, beginSettling, settle, reader } = open();
    episode.sample(0);
    cgroup.cpu({ usage: 7_000, user: 4_000, system: 3_000 });
    cgroup.io({ read: 4096, write: 8192 });
    await beginSettling();
    cgroup.remove();
    await settle();
    const frame = reader.latest()!;
    expect(frame).toMatchObject({ cpuNs: 7_000_000, ioReadBytes: 4096, ioWriteBytes: 8192 });
    expect(frame.sources).toMatchObject({ cpu: 'cgroup', io: 'cgroup' });
    for (const quality of [frame.quality.cpu, frame.quality.io]) {
      expect(quality.has('final')).toBe(false);
      expect(quality.has('stale')).toBe(true);
    }
  });

  it('what was there when the end was seen is the terminal frame’s: the memory, the oom kills', async () => {
    const { episode, beginSettling, settle, reader } = open();
    episode.sample(0);
    cgroup.write('memory.events', 'low 0\nhigh 0\nmax 9\noom 1\noom_kill 3\n');
    cgroup.write('memory.peak', '123456789\n');
    await beginSettling();
    cgroup.remove();
    await settle();
    expect(reader.latest()).toMatchObject({ oomKills: 3, memPeakBytes: 123_456_789 });
    expect(reader.latest()!.sources.memory).toBe('cgroup');
    expect([...reader.latest()!.quality.memory]).toEqual(['stale']);
  });

  it('one that is still there is read once more, and final', async () => {
    const { episode, beginSettling, settle, reader } = open();
    episode.sample(0);
    await beginSettling();
    cgroup.cpu({ usage: 7_000, user: 4_000, system: 3_000 });
    await settle();
    expect(reader.latest()).toMatchObject({ cpuNs: 7_000_000 });
    expect(reader.latest()!.quality.cpu.has('final')).toBe(true);
  });
});
