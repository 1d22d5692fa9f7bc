import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkLimits } from '../../src/scope/limits.js';
import { scopeProperties } from '../../src/scope/unit.js';
import { whyNoBus } from '../../src/systemd/index.js';

const unit = { id: 'x', pid: 42, slice: 'episcope.slice' };
const limited = (limits: object) =>
  Object.fromEntries(
    scopeProperties({ ...unit, limits: checkLimits(limits) }).map(([name, type, value]) => [
      name,
      [type, value],
    ]),
  );

test('a scope without limits is accounted, delegated, collected and referenced', () => {
  expect(limited({})).toEqual({
    Description: ['s', 'episcope episode x'],
    PIDs: ['au', [42]],
    Slice: ['s', 'episcope.slice'],
    Delegate: ['b', true],
    CollectMode: ['s', 'inactive-or-failed'],
    AddRef: ['b', true],
    CPUAccounting: ['b', true],
    MemoryAccounting: ['b', true],
    IOAccounting: ['b', true],
    TasksAccounting: ['b', true],
  });
});

test('limits are systemd’s own: bytes, µs of cpu in each second, tasks, rates by device', () => {
  const ioMax = [
    { device: '8:0', readBytesPerSec: 1_000n, writeOpsPerSec: 7 },
    { device: '8:16', readBytesPerSec: 2_000, writeBytesPerSec: 5, readOpsPerSec: 6 },
  ];
  const memory = { memoryBytes: 2 ** 40, memoryHigh: 2n ** 62n };
  const cpuQuota = { quotaUsec: 30_000, periodUsec: 20_000 };
  expect(limited({ ...memory, cpuQuota, pidsMax: 9, ioMax })).toMatchObject({
    MemoryMax: ['t', 2n ** 40n],
    MemoryHigh: ['t', 2n ** 62n],
    CPUQuotaPerSecUSec: ['t', 1_500_000n],
    CPUQuotaPeriodUSec: ['t', 20_000n],
    TasksMax: ['t', 9n],
    IOReadBandwidthMax: [
      'a(st)',
      [
        ['/dev/block/8:0', 1_000n],
        ['/dev/block/8:16', 2_000n],
      ],
    ],
    IOWriteBandwidthMax: ['a(st)', [['/dev/block/8:16', 5n]]],
    IOReadIOPSMax: ['a(st)', [['/dev/block/8:16', 6n]]],
    IOWriteIOPSMax: ['a(st)', [['/dev/block/8:0', 7n]]],
  });
});

test.skipIf(existsSync('/run/systemd/system'))('a bus is only asked where systemd is pid 1', () => {
  for (const kind of ['system', 'user'] as const) {
    expect(whyNoBus(kind)).toBe('this system was not booted with systemd');
  }
});
