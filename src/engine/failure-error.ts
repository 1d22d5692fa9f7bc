import { CgroupError, ProcError, TelemetryError } from '../error/index.js';
import { procNotAvailable } from '../kernel/procfs.js';
import type { CgroupSpec, EpisodeSpec, ReadFailure } from './engine.js';

/** Where a failure happened: the directory of the cgroup and the mount of procfs. */
export interface FailurePlace {
  readonly cgroupPath: string;
  readonly procRoot: string;
}

/** Returns the absolute path of the directory that a spec names. */
export function cgroupDirectory(spec: CgroupSpec): string {
  return spec.path === '' ? spec.root : `${spec.root.replace(/\/+$/, '')}/${spec.path}`;
}

/** Returns where the failures of an episode happen. */
export function placeOf({
  cgroup,
  procRoot,
}: Pick<EpisodeSpec, 'cgroup' | 'procRoot'>): FailurePlace {
  return { cgroupPath: cgroup === null ? '' : cgroupDirectory(cgroup), procRoot };
}

/** Converts a failure to an error. Both engines use the same messages. */
export function failureToError(failure: ReadFailure, place: FailurePlace): TelemetryError {
  const file = failurePath(failure, place);
  const details = {
    file,
    ...(failure.errno === null ? {} : { errno: failure.errno }),
  };
  const message = failureMessage(failure, file);
  switch (failure.code) {
    case 'ERR_PROC_GONE':
    case 'ERR_PROC_READ':
    case 'ERR_PROC_PARSE':
    case 'ERR_PROC_NOT_AVAILABLE':
      return new ProcError(failure.code, message, details);
    case 'ERR_INVALID_PID':
      return new TelemetryError(failure.code, message, details);
    default:
      return new CgroupError(failure.code, message, details);
  }
}

function failurePath(failure: ReadFailure, place: FailurePlace): string {
  if (failure.code === 'ERR_PROC_NOT_AVAILABLE') return place.procRoot;
  const directory = failure.pid === null ? place.cgroupPath : `${place.procRoot}/${failure.pid}`;
  return failure.file === '' ? directory : `${directory}/${failure.file}`;
}

function failureMessage(failure: ReadFailure, file: string): string {
  const why = failure.reason ?? failure.errno;
  const because = why === null ? '' : ` (${why})`;
  switch (failure.code) {
    case 'ERR_CGROUP_NOT_FOUND':
      return `there is no cgroup at ${file}${because}`;
    case 'ERR_CGROUP_PATH':
      return `${file} is not a valid path of a cgroup directory${because}: it must not contain a symlink, ".." or a file, or exceed 4096 bytes`;
    case 'ERR_NOT_CGROUP2':
      return `${file} is not on a cgroup2 file system`;
    case 'ERR_CONTROLLER_NOT_ENABLED':
      return `${file} does not exist: its controller is not enabled for this cgroup`;
    case 'ERR_CGROUP_PARSE':
    case 'ERR_PROC_PARSE':
      return `${file}: ${failure.reason ?? 'malformed'} at byte ${failure.offset ?? 0}`;
    case 'ERR_PROC_GONE':
      return `process ${failure.pid ?? ''} is gone${because}`;
    case 'ERR_PROC_NOT_AVAILABLE':
      return procNotAvailable(file, failure.errno);
    case 'ERR_INVALID_PID':
      return `${failure.pid ?? ''} is a thread id, not a process id`;
    default:
      return `cannot read ${file}${because}`;
  }
}
