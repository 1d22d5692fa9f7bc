/** Facts about the host: its cgroup hierarchies, and where scopes can be made. */
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
