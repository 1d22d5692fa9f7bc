/**
 * Ownership without xattrs (no addon, or a kernel without user xattrs on cgroups): an empty directory in the slice,
 * created before the scope and removed after it, whose name holds what the xattr would.
 */
import { type Owner, ownerIsDead, ownerOf } from './owner.js';

const BOOT_ID_PREFIX = 8;
/** No id contains a dot. Releases without time namespaces do not mistake this for one of their markers. */
const MARKER =
  /^owner\.(\d{1,10})\.(\d{1,20})\.([0-9a-f]{0,8})\.(\d{1,20})\.(\d{0,20})\.([A-Za-z0-9_-]{1,128})$/;
/** The format of such releases. */
const OLD_MARKER =
  /^owner-(\d{1,10})-(\d{1,20})-([0-9a-f]{0,8})-(\d{1,20})-([A-Za-z0-9_-]{1,128})$/;
/** A format that a later release may use. */
const UNKNOWN_MARKER = /^owner\..*\.([A-Za-z0-9_-]{1,128})$/;

/** Marks a slice that episcope created, so that the last process to leave it may remove it. */
export const SLICE_MARKER = 'made-by-episcope';

export function markerName(owner: Owner, id: string): string {
  const boot = owner.bootId.slice(0, BOOT_ID_PREFIX);
  const { pid, startTicks, pidNamespace, timeNamespace } = owner;
  return ['owner', pid, startTicks, boot, pidNamespace ?? 0, timeNamespace ?? '', id].join('.');
}

/**
 * The owner and the episode in a marker's name; the owner is null if the name is of a later release, whose numbers may
 * have another meaning. Returns null for any other name.
 */
export function parseMarkerName(name: string): { owner: Owner | null; id: string } | null {
  const [, pid, startTicks, boot, pidNs, timeNs, id] = MARKER.exec(name) ?? [];
  if (pid && startTicks && boot !== undefined && pidNs && id) {
    return { owner: ownerOf({ pid, startTicks, boot, pidNs, timeNs }), id };
  }
  const [, oldPid, oldStart, oldBoot, oldNs, oldId] = OLD_MARKER.exec(name) ?? [];
  if (oldPid && oldStart && oldBoot !== undefined && oldNs && oldId) {
    const texts = { pid: oldPid, startTicks: oldStart, boot: oldBoot, pidNs: oldNs };
    return { owner: ownerOf({ ...texts, timeNs: undefined }), id: oldId };
  }
  const unknownId = UNKNOWN_MARKER.exec(name)?.[1];
  return unknownId === undefined ? null : { owner: null, id: unknownId };
}

export interface Marker {
  readonly name: string;
  readonly id: string;
  /** The owner if it is certainly dead; null if it is alive or cannot be checked from here. */
  readonly deadOwner: Owner | null;
}

/** The markers among the names in a slice. */
export function markersIn(names: readonly string[], here: Owner): Marker[] {
  return names.flatMap((name) => {
    const marker = parseMarkerName(name);
    if (marker === null) return [];
    const { owner, id } = marker;
    return [{ name, id, deadOwner: owner !== null && ownerIsDead(owner, here) ? owner : null }];
  });
}
