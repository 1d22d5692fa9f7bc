/** A process that the procfs hides lives: what it has is missing, and that is told. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selectEngine } from '../../src/engine/select.js';
import { createRing, FrameReader } from '../../src/ring/index.js';
import { workload } from '../support/cli.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';
import { Leaf } from '../support/leaf.js';
import { FixtureProc } from './fixture-proc.js';

const HIDE = 'mount -t proc -o hidepid="$1",gid=64124 proc /proc && shift && exec "$@"';
const UNPRIVILEGED = ['setpriv', '--bounding-set=-sys_ptrace'];
const script = fileURLToPath(new URL('hidepid.mjs', import.meta.url));

function hiding(hidepid: number, command: readonly string[]): [string, string[]] {
  return ['unshare', ['-m', 'sh', '-c', HIDE, 'sh', String(hidepid), ...UNPRIVILEGED, ...command]];
}

const canHide = spawnSync(...hiding(2, ['true'])).status === 0;
if (!canHide) console.log('no procfs may be mounted with hidepid here: those cases are left out');
const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`no leaf is tested here: ${noLeaf}`);

interface Seen {
  readonly quality: Readonly<Record<'cpu' | 'memory' | 'io', string[]>>;
  readonly warnings: string[];
}

function see(engine: string, hidepid: number, tier: string, cgroup: string): Seen {
  const child = [workload('allocator'), '--mib', '8'];
  const command = [process.execPath, script, engine, tier, cgroup, ...child];
  return JSON.parse(execFileSync(...hiding(hidepid, command), { encoding: 'utf8' })) as Seen;
}

describe.skipIf(!canHide).each(ENGINES)('a procfs with hidepid, engine %s', (engine) => {
  const why = { 1: 'EPERM', 2: 'the process exists, but /proc hides it' };

  it.each([1, 2] as const)('hidepid=%i: a child of another user', (hidepid) => {
    const { quality, warnings } = see(engine, hidepid, 'proc', '');
    expect(quality).toMatchObject({ memory: ['lowerBound'], io: ['lowerBound'] });
    expect(warnings).toEqual([expect.stringMatching(/^cannot read \/proc\/\d+\/stat \(.*\)$/)]);
    expect(warnings[0]).toContain(why[hidepid]);
  });

  it.skipIf(noLeaf !== null).each([1, 2] as const)(
    'hidepid=%i: a member that the cgroup lists',
    async (hidepid) => {
      const leaf = Leaf.make(`${engine}-hidepid`);
      const { quality, warnings } = see(engine, hidepid, 'leaf', leaf.path);
      await leaf.remove();
      expect(quality).toEqual({ cpu: [], memory: ['lowerBound'], io: ['lowerBound'] });
      expect(warnings).toEqual([expect.stringContaining(why[hidepid])]);
    },
  );
});

describe.each(ENGINES)('a recorded tree, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  let proc: FixtureProc;
  beforeEach(() => {
    cgroup = new FixtureCgroup();
    proc = new FixtureProc();
    proc.put({ ...proc.process(10, 1, 1), resident: 5 });
  });
  afterEach(() => {
    cgroup.remove();
    proc.remove();
  });

  function open() {
    const ring = createRing({ episodeId: 'f', pid: 10, startMonoNs: 0n, capacity: 8 });
    const episode = selectEngine(engine).openEpisode({
      episodeId: 'f',
      pid: 10,
      ring,
      tier: 'leaf',
      cgroup: { root: cgroup.path, path: '', requireCgroupfs: false },
      procRoot: proc.root,
      reaperPid: 0,
      memoryStatPeriodNs: 0n,
      budget: null,
      onExhausted: 'stop',
    });
    const reader = new FrameReader({ ring });
    const sample = () => {
      episode.sample(0);
      const { memory, io } = reader.latest()!.quality;
      return { memory: [...memory], io: [...io], warnings: episode.takeNews().warnings };
    };
    const end = () => {
      episode.requestEnd();
      while (!episode.wake());
    };
    return { sample, end };
  }

  it('a member that is listed and not to be found is missing, told once, and found later', () => {
    writeFileSync(`${cgroup.path}/cgroup.procs`, '10\n11\n');
    const { sample, end } = open();
    const lowerBound = { memory: ['lowerBound'], io: ['lowerBound'] };
    const first = sample();
    expect(first).toMatchObject(lowerBound);
    expect(first.warnings).toMatchObject([
      {
        part: 1,
        failure: { pid: 11, file: 'stat', reason: 'the process exists, but /proc hides it' },
      },
    ]);
    expect(sample()).toEqual({ ...lowerBound, warnings: [] });
    proc.put(proc.process(11, 10, 2));
    expect(sample()).toEqual({ memory: [], io: [], warnings: [] });
    end();
  });

  it('a member without a number in our pid namespace is missing, and told once', () => {
    writeFileSync(`${cgroup.path}/cgroup.procs`, '10\n0\n0\n');
    const { sample, end } = open();
    const lowerBound = { memory: ['lowerBound'], io: ['lowerBound'] };
    const reason = 'a member is in a pid namespace that is not below ours';
    const first = sample();
    expect(first).toMatchObject(lowerBound);
    expect(first.warnings).toMatchObject([
      { part: 1, failure: { pid: null, file: 'cgroup.procs', reason } },
    ]);
    expect(sample()).toEqual({ ...lowerBound, warnings: [] });
    writeFileSync(`${cgroup.path}/cgroup.procs`, '10\n');
    expect(sample()).toEqual({ memory: [], io: [], warnings: [] });
    end();
  });

  it('a gauge that went below zero in a member is missing, and told once', () => {
    writeFileSync(`${cgroup.path}/cgroup.procs`, '10\n11\n');
    proc.put(proc.process(11, 10, 2));
    const { sample, end } = open();
    expect(sample()).toEqual({ memory: [], io: [], warnings: [] });
    proc.write(11, 'statm', '9 18446744073709551615 1 1 0 1 0\n');
    const underflown = sample();
    expect(underflown).toMatchObject({ memory: ['lowerBound'], io: [] });
    expect(underflown.warnings).toMatchObject([
      { part: 1, failure: { pid: 11, file: 'statm', reason: 'gauge below zero' } },
    ]);
    expect(sample()).toEqual({ memory: ['lowerBound'], io: [], warnings: [] });
    end();
  });
});
