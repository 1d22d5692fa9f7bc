/** A gauge of the kernel that went below zero is unavailable, and told: it is never a figure of 9.2 EB. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selectEngine } from '../../src/engine/select.js';
import { CgroupReader } from '../../src/index.js';
import { createRing, FrameReader } from '../../src/ring/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';

const BELOW_ZERO = 2n ** 64n - 4096n;

describe.each(ENGINES)('gauges below zero, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  beforeEach(() => {
    cgroup = new FixtureCgroup();
  });
  afterEach(() => cgroup.remove());

  it.each<[string, string]>([
    ['memory.current', `${BELOW_ZERO}\n`],
    ['memory.stat', `anon ${BELOW_ZERO}\nfile 0\npgfault 30\npgmajfault 7\n`],
  ])('%s: no memory, and the reason', (file, text) => {
    cgroup.write(file, text);
    const reader = CgroupReader.fromPath(cgroup.path, { engine, requireCgroupfs: false });
    const memory = reader.readMemory();
    expect(memory.isAvailable).toBe(false);
    expect(memory.error).toMatchObject({ code: 'ERR_CGROUP_PARSE' });
    expect(memory.error!.message).toContain(`${file}: gauge below zero`);
    reader.close();
  });

  it('a negative anon is 0, and no field of it refuses the file', () => {
    cgroup.write('memory.stat', 'anon -4096\nfile -1\npgfault -3\npgmajfault -7\n');
    const reader = CgroupReader.fromPath(cgroup.path, { engine, requireCgroupfs: false });
    expect(reader.readMemory()).toMatchObject({ rssBytes: 0, currentBytes: 8192 });
    reader.close();
  });

  it('a session goes on without it, and warns once', () => {
    const ring = createRing({ episodeId: 'f', pid: process.pid, startMonoNs: 0n, capacity: 8 });
    const episode = selectEngine(engine).openEpisode({
      episodeId: 'f',
      pid: process.pid,
      ring,
      tier: 'cgroup',
      cgroup: { root: cgroup.path, path: '', requireCgroupfs: false },
      procRoot: '/proc',
      reaperPid: 0,
      memoryStatPeriodNs: 0n,
      budget: null,
      onExhausted: 'stop',
    });
    const reader = new FrameReader({ ring });
    cgroup.write('memory.current', `${BELOW_ZERO}\n`);
    cgroup.write('pids.current', `${2n ** 64n - 1n}\n`);
    for (const told of [['memory.current', 'pids.current'], []]) {
      episode.sample(0);
      const warnings = episode.takeNews().warnings.map(({ failure }) => failure.file);
      expect(warnings).toEqual(told);
      expect(reader.latest()).toMatchObject({
        memRssBytes: null,
        memCurrentBytes: null,
        pids: null,
      });
      expect(reader.latest()!.sources.memory).toBe('unavailable');
    }
    cgroup.memory({ anon: 1, current: 2, peak: 3 });
    cgroup.write('memory.peak', `${BELOW_ZERO}\n`);
    episode.sample(0);
    expect(reader.latest()).toMatchObject({
      memRssBytes: 1,
      memCurrentBytes: 2,
      memPeakBytes: null,
    });
    expect(episode.takeNews().warnings.map(({ failure }) => failure.file)).toEqual(['memory.peak']);
    episode.requestEnd();
    expect(episode.wake()).toBe(true);
  });
});
