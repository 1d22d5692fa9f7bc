import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selectEngine } from '../../src/engine/select.js';
import { createRing, FrameReader } from '../../src/ring/index.js';
import { FrameFlag } from '../../src/schema/layout.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';

describe.each(ENGINES)('a cgroup that is removed while its totals settle, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  beforeEach(() => {
    cgroup = new FixtureCgroup();
  });
  afterEach(() => cgroup.remove());

  const open = () => {
    const ring = createRing({
      episodeId: 'fixture',
      pid: process.pid,
      startMonoNs: process.hrtime.bigint(),
      capacity: 8,
    });
    const episode = selectEngine(engine).openEpisode({
      episodeId: 'fixture',
      pid: process.pid,
      ring,
      tier: 'auto',
      cgroup: { root: cgroup.path, path: '', requireCgroupfs: false },
      procRoot: '/proc',
      reaperPid: 0,
      memoryStatPeriodNs: 0n,
    });
    return { episode, reader: new FrameReader({ ring }) };
  };

  it('the totals that were read last are the terminal frame’s, and not called final', () => {
    const { episode, reader } = open();
    episode.sample(FrameFlag.INITIAL);
    cgroup.cpu({ usage: 7_000, user: 4_000, system: 3_000 });
    cgroup.io({ read: 4096, write: 8192 });
    episode.settle();
    cgroup.remove();
    expect(episode.settle()).toBe(false);
    episode.sample(FrameFlag.TERMINAL);
    episode.close();
    const frame = reader.latest()!;
    expect(frame).toMatchObject({ cpuNs: 7_000_000, ioReadBytes: 4096, ioWriteBytes: 8192 });
    expect(frame.sources).toMatchObject({ cpu: 'cgroup', io: 'cgroup' });
    for (const quality of [frame.quality.cpu, frame.quality.io]) {
      expect(quality.has('final')).toBe(false);
      expect(quality.has('stale')).toBe(true);
    }
  });

  it('what was there when the end was seen is the terminal frame’s: the memory, the oom kills', () => {
    const { episode, reader } = open();
    episode.sample(FrameFlag.INITIAL);
    cgroup.write('memory.events', 'low 0\nhigh 0\nmax 9\noom 1\noom_kill 3\n');
    cgroup.write('memory.peak', '123456789\n');
    episode.settle();
    cgroup.remove();
    episode.settle();
    episode.sample(FrameFlag.TERMINAL);
    episode.close();
    expect(reader.latest()).toMatchObject({ oomKills: 3, memPeakBytes: 123_456_789 });
    expect(reader.latest()!.sources.memory).toBe('cgroup');
    expect([...reader.latest()!.quality.memory]).toEqual(['stale']);
  });

  it('one that is still there is read once more, and final', () => {
    const { episode, reader } = open();
    episode.sample(FrameFlag.INITIAL);
    episode.settle();
    cgroup.cpu({ usage: 7_000, user: 4_000, system: 3_000 });
    episode.sample(FrameFlag.TERMINAL);
    episode.close();
    expect(reader.latest()).toMatchObject({ cpuNs: 7_000_000 });
    expect(reader.latest()!.quality.cpu.has('final')).toBe(true);
  });
});
