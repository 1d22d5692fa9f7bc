/** Calls systemd over D-Bus. */
export { BusError, type BusKind, BusUnavailable, whyNoBus } from './bus.js';
export { ManagerTimeout, type StartedJob, SystemdManager } from './manager.js';
