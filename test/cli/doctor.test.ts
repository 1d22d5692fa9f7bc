import { describe, expect, test } from 'vitest';
import { type Diagnosis, diagnosisToJson, renderDiagnosis } from '../../src/cli/doctor-report.js';
import type { HostFacts } from '../../src/host/index.js';
import { cli, INSTALLS } from '../support/cli.js';

const HYBRID: HostFacts = {
  platform: 'linux',
  kernel: '6.18.0',
  mode: 'hybrid',
  cgroup2: {
    mountPoint: '/sys/fs/cgroup/unified',
    readOnly: false,
    controllers: [],
    ownPath: '/',
    ownDirectory: '/sys/fs/cgroup/unified',
  },
  noCgroup2: null,
  psi: { available: false, reason: 'off at boot: the kernel parameter psi=1 turns it on' },
  proc: { available: true, reason: null },
  scopes: {
    enclosing: null,
    places: [{ parent: '/sys/fs/cgroup/unified', controllers: [] }],
    refused: [],
  },
};

const UNPRIVILEGED: HostFacts = {
  platform: 'linux',
  kernel: '6.1.0',
  mode: 'v2',
  cgroup2: {
    mountPoint: '/sys/fs/cgroup',
    readOnly: true,
    controllers: ['cpu', 'io', 'memory', 'pids'],
    ownPath: '/../box',
    ownDirectory: null,
  },
  noCgroup2: null,
  psi: { available: true, reason: null },
  proc: { available: true, reason: null },
  scopes: {
    enclosing: null,
    places: [],
    refused: [{ directory: '/sys/fs/cgroup', reason: 'not writable (EROFS)' }],
  },
};

function diagnosis(host: HostFacts, more: Partial<Diagnosis> = {}): Diagnosis {
  return {
    version: '1.2.3',
    node: 'v20.19.0',
    host,
    engine: { name: 'native', reason: null },
    systemd: { bus: 'system', reason: 'this system was not booted with systemd' },
    launcher: 'episcope-exec',
    stale: [],
    cleaned: false,
    ...more,
  };
}

const facts = (text: string) => text.slice(0, text.indexOf('\n\n') + 1);

describe('doctor', () => {
  test('on a hybrid host', () => {
    const text = renderDiagnosis(
      diagnosis(HYBRID, { stale: [{ cgroupPath: '/x', ownerPid: 7, error: null }] }),
    );
    expect(facts(text)).toBe(`\
episcope 1.2.3 on linux 6.18.0, Node v20.19.0
  cgroups      hybrid: cgroup2 at /sys/fs/cgroup/unified, beside v1 hierarchies
  controllers  none in cgroup2 (cpu time is still counted)
  own cgroup   /
  scopes       can be made beneath /sys/fs/cgroup/unified, with no controllers
  systemd      is not asked for scopes: this system was not booted with systemd
  best tier    leaf: cpu and membership from a cgroup without controllers, memory and io from /proc
  pressure     not available: off at boot: the kernel parameter psi=1 turns it on
  engine       native
  launcher     episcope-exec
  leftovers    1 scope of dead runs; "episcope doctor --clean" removes them
               /x (owner 7)
`);
  });

  test('in a container without rights, after cleaning', () => {
    const stale = [
      { cgroupPath: '/x', ownerPid: 7, error: null },
      { cgroupPath: '/y', ownerPid: 8, error: 'busy' },
    ];
    const engine = { name: 'js', reason: 'no build' } as const;
    const text = renderDiagnosis(
      diagnosis(UNPRIVILEGED, { engine, launcher: '/bin/sh', stale, cleaned: true }),
    );
    expect(facts(text)).toBe(`\
episcope 1.2.3 on linux 6.1.0, Node v20.19.0
  cgroups      v2 at /sys/fs/cgroup, mounted read-only
  controllers  cpu, io, memory, pids
  own cgroup   /../box, which this mount does not show
  scopes       not beneath /sys/fs/cgroup: not writable (EROFS)
  systemd      is not asked for scopes: this system was not booted with systemd
  best tier    proc: everything from /proc, by parentage
  pressure     available
  engine       js: the addon does not load (no build)
  launcher     /bin/sh
  leftovers    2 scopes of dead runs
               removed /x (owner 7)
               not removed /y (owner 8): busy
`);
  });

  test('where /proc is that of another pid namespace', () => {
    const reason = 'it is not ours';
    const host = { ...HYBRID, proc: { available: false, reason } };
    const text = renderDiagnosis(diagnosis(host));
    expect(text).toContain(`
  best tier    leaf: cpu and membership from a cgroup without controllers; memory and io not available
  /proc        not used: ${reason}
`);
    const nowhere = { ...UNPRIVILEGED, proc: { available: false, reason } };
    expect(renderDiagnosis(diagnosis(nowhere))).toContain('  best tier    none: ');
    const json = JSON.parse(diagnosisToJson(diagnosis(nowhere)));
    expect(json).toMatchObject({ tier: null, proc: { available: false, reason } });
  });

  test('tells how the engines differ', () => {
    const text = renderDiagnosis(diagnosis(HYBRID));
    expect(text).toMatch(/degraded cpu\s+process clock, ns\s+.*ticks/);
    expect(text).toMatch(/sampler\s+one thread a process.*one worker per thread that uses it/);
    expect(text).toMatch(/exit noticed\s+at once: epoll.*at the next sample, or by fs\.watch/);
  });

  test('--json has the same facts', () => {
    expect(JSON.parse(diagnosisToJson(diagnosis(HYBRID)))).toMatchObject({
      schema: 'episcope.doctor.v1',
      mode: 'hybrid',
      cgroup2: { mount_point: '/sys/fs/cgroup/unified', controllers: [] },
      tier: 'leaf',
      no_cgroup2: null,
      psi: { available: false },
      engine: { name: 'native', reason: null },
      stale: [],
    });
    const none = {
      ...HYBRID,
      mode: 'none',
      cgroup2: null,
      scopes: { enclosing: null, places: [], refused: [] },
    };
    expect(JSON.parse(diagnosisToJson(diagnosis(none as HostFacts)))).toMatchObject({
      mode: 'none',
      cgroup2: null,
      tier: 'proc',
    });
  });

  test.each(INSTALLS)('on this host, $name', async ({ name, env }) => {
    const text = await cli(['doctor'], { env });
    expect(text).toMatchObject({ code: 0, stderr: '' });
    const json = await cli(['doctor', '--json'], { env });
    const found = JSON.parse(String(json.stdout));
    expect(found.engine.name).toBe(name === 'with the addon' ? 'native' : 'js');
    expect(String(text.stdout)).toContain(`  engine       ${found.engine.name}`);
    expect(['v2', 'hybrid', 'v1', 'none']).toContain(found.mode);
    expect(found.kernel).toMatch(/^\d+\.\d+/);
  });
});
