/** What this host offers, gathered at once. Reads only; changes nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { assertOptions } from '../error/index.js';
import { readText, readWords } from '../kernel/cgroup-files.js';
import { errnoOf, throwShortage } from '../kernel/errno.js';
import { whyForeignProc } from '../kernel/procfs.js';
import { type Mount, parseMountinfo } from '../kernel/text/mountinfo.js';
import {
  type CgroupMode,
  cgroup2Mount,
  cgroupDirectoryUnder,
  cgroupMode,
  ownCgroupPath,
} from './hierarchy.js';
import { type ScopePlaces, scopePlaces } from './scope-places.js';

export interface Cgroup2Facts {
  readonly mountPoint: string;
  readonly readOnly: boolean;
  /** `cgroup.controllers` at the mount's root. */
  readonly controllers: readonly string[];
  /** Our own `0::` path; null if the kernel reports none. */
  readonly ownPath: string | null;
  /** Its directory; null if it is not visible in the mount. */
  readonly ownDirectory: string | null;
}

export interface PsiFacts {
  readonly available: boolean;
  /** Why PSI is not available; null if it is. */
  readonly reason: string | null;
}

export interface ProcFacts {
  /** Whether its data about a pid can be trusted, so that `/proc` is a source. */
  readonly available: boolean;
  /** Why it cannot be trusted; null if it can. */
  readonly reason: string | null;
}

export interface HostFacts {
  readonly platform: NodeJS.Platform;
  /** `uname -r`. */
  readonly kernel: string;
  readonly mode: CgroupMode;
  /** null if there is no cgroup2 mount, or this cannot be determined. */
  readonly cgroup2: Cgroup2Facts | null;
  /** Why `cgroup2` is null; null if it is not. */
  readonly noCgroup2: string | null;
  readonly psi: PsiFacts;
  readonly proc: ProcFacts;
  readonly scopes: ScopePlaces;
}

export interface HostOptions {
  /** Another procfs, such as a recorded one. */
  readonly procRoot?: string;
}

/**
 * What cannot be read is absent from the facts. Throws only if the process is out of descriptors or memory:
 * `ERR_PROC_READ`, `ERR_CGROUP_READ`.
 */
export function hostFacts({ procRoot = '/proc' }: HostOptions = {}): HostFacts {
  const mounts = parseMountinfo(textOf(`${procRoot}/self/mountinfo`));
  const mount = cgroup2Mount(mounts);
  const cgroup2 = mount === null ? null : cgroup2Facts(mount, procRoot);
  return {
    platform: process.platform,
    kernel: textOf(`${procRoot}/sys/kernel/osrelease`).trim() || release(),
    mode: cgroupMode(mounts),
    cgroup2,
    noCgroup2: cgroup2 === null ? whyNoCgroup2({ procRoot }) : null,
    psi: psiFacts(mount, procRoot),
    proc: procFacts(procRoot),
    scopes:
      cgroup2 === null
        ? { enclosing: null, places: [], refused: [] }
        : scopePlaces(cgroup2.mountPoint, cgroup2.ownDirectory),
  };
}

/** Whether a cgroup2 mount exists, hybrid hosts included, regardless of its controllers. */
export function isCgroupV2Available(options: HostOptions = {}): boolean {
  assertOptions('options', options, { procRoot: true });
  return findCgroup2Mount(options) !== null;
}

/** The mount point of the cgroup2 file system to use; null if none is mounted. */
export function findCgroup2Mount({ procRoot = '/proc' }: HostOptions = {}): string | null {
  return cgroup2Mount(parseMountinfo(textOf(`${procRoot}/self/mountinfo`)))?.mountPoint ?? null;
}

/** Why no cgroup2 file system can be used, or that this is unknown; null if one can. */
export function whyNoCgroup2({ procRoot = '/proc' }: HostOptions = {}): string | null {
  const file = `${procRoot}/self/mountinfo`;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throwShortage(cause, file);
    return `whether a cgroup2 is mounted is not known: ${file} cannot be read (${errnoOf(cause)})`;
  }
  const mode = cgroupMode(parseMountinfo(text));
  if (mode === 'v1') return 'this host has cgroup v1 only: no cgroup2 is mounted';
  return mode === 'none' ? 'no cgroup2 is mounted' : null;
}

/** Our mount and the names beneath it that lead to a path of the hierarchy; null if the mount does not show it. */
export function cgroup2Place(
  path: string,
): { readonly mountPoint: string; readonly beneath: readonly string[] } | null {
  const mount = cgroup2Mount(parseMountinfo(textOf('/proc/self/mountinfo')));
  const directory = mount === null ? null : cgroupDirectoryUnder(mount, path);
  if (mount === null || directory === null) return null;
  const beneath = directory.slice(mount.mountPoint.length).split('/').filter(Boolean);
  return { mountPoint: mount.mountPoint, beneath };
}

/** The directory of the cgroup that a process is in; null if the mount does not show it, or it cannot be read. */
export function cgroupDirectoryOf(
  pid: number,
  { procRoot = '/proc' }: HostOptions = {},
): string | null {
  const mount = cgroup2Mount(parseMountinfo(textOf(`${procRoot}/self/mountinfo`)));
  if (mount === null || (procRoot === '/proc' && whyForeignProc() !== null)) return null;
  const path = ownCgroupPath(textOf(`${procRoot}/${pid}/cgroup`));
  return path === null ? null : cgroupDirectoryUnder(mount, path);
}

function cgroup2Facts(mount: Mount, procRoot: string): Cgroup2Facts {
  const ownPath = ownCgroupPath(textOf(`${procRoot}/self/cgroup`));
  return {
    mountPoint: mount.mountPoint,
    readOnly: mount.options.includes('ro'),
    controllers: readWords(`${mount.mountPoint}/cgroup.controllers`) ?? [],
    ownPath,
    ownDirectory: ownPath === null ? null : cgroupDirectoryUnder(mount, ownPath),
  };
}

/** A caller that names another procfs knows which pid namespace its numbers belong to. */
function procFacts(procRoot: string): ProcFacts {
  const reason = procRoot === '/proc' ? whyForeignProc() : null;
  return { available: reason === null, reason };
}

/** If PSI is off at boot, the files open but a read fails with EOPNOTSUPP; a kernel built without PSI has no files. */
function psiFacts(mount: Mount | null, procRoot: string): PsiFacts {
  const files = [`${procRoot}/pressure/cpu`];
  if (mount !== null) files.unshift(`${mount.mountPoint}/cpu.pressure`);
  let reason = 'the kernel has no pressure files';
  for (const file of files) {
    try {
      readFileSync(file);
      return { available: true, reason: null };
    } catch (cause) {
      throwShortage(cause, file);
      const errno = errnoOf(cause);
      if (errno === 'EOPNOTSUPP' || errno === 'ENOTSUP') {
        return { available: false, reason: 'off at boot: the kernel parameter psi=1 turns it on' };
      }
      if (errno !== 'ENOENT') reason = `${file}: ${errno}`;
    }
  }
  if (mount === null && !existsSync(`${procRoot}/self`)) {
    reason = `not known: ${procRoot} cannot be read, and no cgroup2 is known`;
  }
  return { available: false, reason };
}

function textOf(file: string): string {
  return readText(file) ?? '';
}
