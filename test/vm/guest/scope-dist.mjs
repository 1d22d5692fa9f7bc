/** Parts of the package that are not public: failures are injected there. */

export { directories, plainDirectories } from '../../../dist/kernel/directories.js';
export { CREATE_STEPS, createScope } from '../../../dist/scope/create.js';
export { launch } from '../../../dist/scope/launch.js';
export { checkLimits } from '../../../dist/scope/limits.js';
export { PinnedCgroup } from '../../../dist/scope/pinned-cgroup.js';
export { removeScope } from '../../../dist/scope/remove.js';
export { spawnScoped } from '../../../dist/scope/spawn.js';
export { createSystemdScope, SYSTEMD_STEPS } from '../../../dist/scope/systemd-create.js';
