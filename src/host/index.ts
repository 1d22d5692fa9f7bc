/** Facts about the host: its cgroup hierarchies, and where scopes can be created. */
export * from './facts.js';
export type { CgroupMode } from './hierarchy.js';
export { ancestry, type ScopePlace, type ScopePlaces } from './scope-places.js';
