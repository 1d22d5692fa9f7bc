/**
 * Ownership without xattrs (no addon, or a kernel without user xattrs on cgroups): an empty directory in the slice,
 * made before the scope and removed after it, whose name says what the xattr would.
 */
import { type Owner, ownerIsDead } from './owner.js';

const BOOT_ID_PREFIX = 8;
const MARKER = /^owner-(\d{1,10})-(\d{1,20})-([0-9a-f]{0,8})-(\d{1,20})-([A-Za-z0-9_-]{1,128})$/;

/** Marks a slice that episcope made, so that whoever leaves it last may remove it. */
export const SLICE_MARKER = 'made-by-episcope';

export function markerName(owner: Owner, id: string): string {
  const boot = owner.bootId.slice(0, BOOT_ID_PREFIX);
  return `owner-${owner.pid}-${owner.startTicks}-${boot}-${owner.pidNamespace}-${id}`;
}

/** The owner and the episode that a marker's name tells; null for any other name. */
export function parseMarkerName(name: string): { owner: Owner; id: string } | null {
  const [, pid, startTicks, boot, namespace, id] = MARKER.exec(name) ?? [];
  if (!pid || !startTicks || boot === undefined || !namespace || !id) return null;
  return {
    owner: { pid: Number(pid), startTicks, bootId: boot, pidNamespace: namespace },
    id,
  };
}

export interface Marker {
  readonly name: string;
  readonly owner: Owner;
  readonly id: string;
  readonly dead: boolean;
}

/** The markers among the names in a slice. */
export function markersIn(names: readonly string[], here: Owner): Marker[] {
  return names.flatMap((name) => {
    const marker = parseMarkerName(name);
    if (marker === null) return [];
    return [{ ...marker, name, dead: ownerIsDead(marker.owner, here) }];
  });
}
