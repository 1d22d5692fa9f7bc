import { readdirSync } from 'node:fs';

/**
 * Whether a block device of this host stands on others (LVM, LUKS, md). What counts each layer, as systemd does, has more
 * than was read and written there. Where sysfs does not tell, it may be so.
 */
export function hasStackedDevices(sys = '/sys'): boolean {
  try {
    return readdirSync(`${sys}/block`).some((device) => {
      const slaves = `${sys}/block/${device}/slaves`;
      return (
        readdirSync(`${sys}/block/${device}`).includes('slaves') && readdirSync(slaves).length > 0
      );
    });
  } catch {
    return true;
  }
}
