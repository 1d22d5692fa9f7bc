/** The host: its cgroup hierarchies, where scopes can be made, and control of processes. */

export { errnoName } from '../error/errno-name.js';
export { WANTED_CONTROLLERS, type WantedController } from '../kernel/cgroup-files.js';
export {
  type ChildExit,
  type Exit,
  type Exiting,
  exitOf,
  signalName,
  signalNumber,
} from '../kernel/child-exit.js';
export { errnoOf } from '../kernel/errno.js';
export { type ProcessControl, processControl } from '../kernel/process-control.js';
export { whyForeignProc } from '../kernel/procfs.js';
export {
  type Cgroup2Facts,
  cgroup2Place,
  cgroupDirectoryOf,
  findCgroup2Mount,
  type HostFacts,
  type HostOptions,
  hostFacts,
  isCgroupV2Available,
  type ProcFacts,
  type PsiFacts,
  whyNoCgroup2,
} from './facts.js';
export type { CgroupMode } from './hierarchy.js';
export { ancestry, type ScopePlace, type ScopePlaces } from './scope-places.js';
