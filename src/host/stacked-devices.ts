import { readdirSync } from 'node:fs';

/**
 * Whether a block device of this host is stacked on others (LVM, LUKS, md). A sum over all layers, such as systemd's,
 * exceeds what was read and written there. Returns true if sysfs cannot be read.
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
