/** The report of `episcope doctor`: the same facts as text and as JSON. Pure. */

import type { EngineName } from '../engine/engine.js';
import type { HostFacts } from '../host/index.js';
import type { Tier } from '../schema/enumerations.js';
import type { BusKind } from '../systemd/index.js';
import { listOf } from './format.js';
import { type Paint, PLAIN } from './output.js';
import { bestTier } from './tier.js';

const DOCTOR_SCHEMA = 'episcope.doctor.v1';

export interface Diagnosis {
  readonly version: string;
  readonly node: string;
  readonly host: HostFacts;
  readonly engine: { readonly name: EngineName; readonly reason: string | null };
  /** The bus on which systemd is asked for scopes; `reason` is why it is not, else null. */
  readonly systemd: { readonly bus: BusKind; readonly reason: string | null };
  /** The program that starts commands: `episcope-exec`, or the path of its substitute without the addon. */
  readonly launcher: string;
  /** Scopes of dead owners; with `--clean`, each removed or with the error that prevented it. */
  readonly stale: readonly StaleReport[];
  readonly cleaned: boolean;
}

export interface StaleReport {
  readonly cgroupPath: string;
  readonly ownerPid: number;
  readonly error: string | null;
}

/** The permitted differences of the two engines; everything else is the same. */
const ENGINE_DIFFERENCES = [
  {
    what: 'sampler',
    native: 'one thread a process, one for actions',
    js: 'one worker per thread that uses it, about 8 MB, on its own event loop',
  },
  {
    what: 'exit noticed',
    native: 'at once: epoll on cgroup.events, pidfd',
    js: 'at the next sample, or by fs.watch on cgroup.events',
  },
  {
    what: 'degraded cpu',
    native: 'process clock, ns',
    js: '/proc/<pid>/stat, ticks of 10 ms',
  },
  {
    what: 'end of a child',
    native: 'exact: waitid before Node reaps it',
    js: 'what its last sample saw',
  },
  {
    what: 'paths',
    native: 'openat2 beneath the root',
    js: 'every component by lstat, then the opened directory compared',
  },
  {
    what: 'orphans',
    native: 'run is their subreaper and reaps them',
    js: 'the same if the addon loads, else they leave the tree',
  },
] as const;

const TIER_TEXT: Record<Exclude<Tier, 'auto'>, string> = {
  cgroup: 'cgroup: cpu, memory and io from cgroup v2',
  leaf: 'leaf: cpu and membership from a cgroup without controllers, memory and io from /proc',
  proc: 'proc: everything from /proc, by parentage',
};

/** Shown only if /proc cannot be used. */
function procRows({ proc }: HostFacts): [string, string][] {
  return proc.available ? [] : [['/proc', `not used: ${proc.reason}`]];
}

function tierText(host: HostFacts): string {
  const tier = bestTier(host);
  if (tier === null) return 'none: there is neither a cgroup nor a /proc to measure by';
  if (tier === 'leaf' && !host.proc.available) {
    return 'leaf: cpu and membership from a cgroup without controllers; memory and io not available';
  }
  return TIER_TEXT[tier];
}

export function renderDiagnosis(diagnosis: Diagnosis, paint: Paint = PLAIN): string {
  const { host, engine } = diagnosis;
  const rows: [string, string][] = [
    ['cgroups', modeText(host)],
    ['controllers', controllersText(host)],
    ['own cgroup', ownText(host)],
    ...scopeRows(host),
    ['systemd', systemdText(diagnosis)],
    ['best tier', tierText(host)],
    ...procRows(host),
    ['pressure', host.psi.available ? 'available' : `not available: ${host.psi.reason}`],
    [
      'engine',
      engine.reason === null
        ? engine.name
        : `${engine.name}: the addon does not load (${engine.reason})`,
    ],
    ['launcher', diagnosis.launcher],
    ['leftovers', leftoversText(diagnosis)],
    ...diagnosis.stale.map((stale): [string, string] => ['', staleText(stale, diagnosis.cleaned)]),
  ];
  const lines = rows.map(([label, text]) => `  ${paint.dim(label.padEnd(13))}${text}`.trimEnd());
  const head = `episcope ${diagnosis.version} on ${host.platform} ${host.kernel}, Node ${diagnosis.node}`;
  return `${[paint.bold(head), ...lines, '', ...differenceLines(paint)].join('\n')}\n`;
}

function modeText({ mode, cgroup2, noCgroup2 }: HostFacts): string {
  const at = cgroup2 === null ? '' : ` at ${cgroup2.mountPoint}`;
  const readOnly = cgroup2?.readOnly ? ', mounted read-only' : '';
  switch (mode) {
    case 'v2':
      return `v2${at}${readOnly}`;
    case 'hybrid':
      return `hybrid: cgroup2${at}${readOnly}, beside v1 hierarchies`;
    case 'v1':
      return 'v1 only';
    case 'none':
      return noCgroup2 ?? 'none mounted';
  }
}

function controllersText({ cgroup2 }: HostFacts): string {
  if (cgroup2 === null) return 'none';
  return cgroup2.controllers.length === 0
    ? 'none in cgroup2 (cpu time is still counted)'
    : cgroup2.controllers.join(', ');
}

function ownText({ cgroup2 }: HostFacts): string {
  if (cgroup2?.ownPath == null) return 'unknown';
  return cgroup2.ownDirectory === null
    ? `${cgroup2.ownPath}, which this mount does not show`
    : cgroup2.ownPath;
}

function scopeRows({ scopes, noCgroup2 }: HostFacts): [string, string][] {
  const texts = [
    ...scopes.places.map(({ parent, controllers }) => {
      const gets = controllers.length === 0 ? 'no controllers' : listOf(controllers);
      return `can be made beneath ${parent}, with ${gets}`;
    }),
    ...scopes.refused.map(({ directory, reason }) => `not beneath ${directory}: ${reason}`),
  ];
  if (texts.length === 0) texts.push(`cannot be made: ${noCgroup2 ?? 'no place is known'}`);
  return texts.map((text, index) => [index === 0 ? 'scopes' : '', text]);
}

function systemdText({ systemd: { bus, reason } }: Diagnosis): string {
  if (reason === null) return `is asked for scopes first, on the ${bus} bus`;
  return `is not asked for scopes: ${reason}`;
}

function leftoversText({ stale, cleaned }: Diagnosis): string {
  if (stale.length === 0) return 'none';
  const scopes = `${stale.length} scope${stale.length === 1 ? '' : 's'} of dead runs`;
  return cleaned ? scopes : `${scopes}; "episcope doctor --clean" removes them`;
}

function staleText({ cgroupPath, ownerPid, error }: StaleReport, cleaned: boolean): string {
  const owner = `${cgroupPath} (owner ${ownerPid})`;
  if (!cleaned) return owner;
  return error === null ? `removed ${owner}` : `not removed ${owner}: ${error}`;
}

function differenceLines(paint: Paint): string[] {
  const table = [
    ['', 'native engine', 'js engine'],
    ...ENGINE_DIFFERENCES.map(({ what, native, js }) => [what, native, js]),
  ];
  return table.map(([what = '', native = '', js = '']) =>
    `  ${paint.dim(what.padEnd(16))}${native.padEnd(40)}${js}`.trimEnd(),
  );
}

/** One line of JSON, snake_case. */
export function diagnosisToJson(diagnosis: Diagnosis): string {
  const { host } = diagnosis;
  const { cgroup2 } = host;
  const object = {
    schema: DOCTOR_SCHEMA,
    version: diagnosis.version,
    node: diagnosis.node,
    platform: host.platform,
    kernel: host.kernel,
    mode: host.mode,
    cgroup2: cgroup2 && {
      mount_point: cgroup2.mountPoint,
      read_only: cgroup2.readOnly,
      controllers: cgroup2.controllers,
      own_path: cgroup2.ownPath,
      own_directory: cgroup2.ownDirectory,
    },
    no_cgroup2: host.noCgroup2,
    scopes: host.scopes,
    systemd: diagnosis.systemd,
    tier: bestTier(host),
    psi: host.psi,
    proc: host.proc,
    engine: diagnosis.engine,
    launcher: diagnosis.launcher,
    stale: diagnosis.stale.map(({ cgroupPath, ownerPid, error }) => ({
      cgroup_path: cgroupPath,
      owner_pid: ownerPid,
      error,
    })),
    cleaned: diagnosis.cleaned,
    engine_differences: ENGINE_DIFFERENCES,
  };
  return `${JSON.stringify(object)}\n`;
}
