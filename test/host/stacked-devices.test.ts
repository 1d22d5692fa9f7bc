import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasStackedDevices } from '../../src/host/stacked-devices.js';
import { scratch } from '../support/scratch.js';

const directory = scratch();

/** A sysfs with these directories. */
function sysWith(name: string, ...paths: string[]): string {
  const sys = join(directory, name);
  for (const path of ['block', ...paths]) mkdirSync(join(sys, path), { recursive: true });
  return sys;
}

test('disks alone are no stack', () => {
  expect(hasStackedDevices(sysWith('plain', 'block/sda/slaves', 'block/loop0'))).toBe(false);
});

test('a device that stands on another is one', () => {
  const sys = sysWith('stacked', 'block/sda/slaves', 'block/dm-0/slaves/sda');
  expect(hasStackedDevices(sys)).toBe(true);
});

test('where sysfs does not tell there may be one', () => {
  expect(hasStackedDevices(join(directory, 'none'))).toBe(true);
});
