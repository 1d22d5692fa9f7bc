/** Asking systemd over D-Bus. */
export { BusError, type BusKind, BusUnavailable, whyNoBus } from './bus.js';
export { ManagerTimeout, msUntil, type StartedJob, SystemdManager, type Wait } from './manager.js';
export { scopeProperties } from './scope-properties.js';
