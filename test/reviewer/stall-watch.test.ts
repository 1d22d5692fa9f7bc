import { expect, test } from 'vitest';
import { TelemetryFrame } from '../../src/frame/index.js';
import { StallWatch } from '../../src/reviewer/stall-watch.js';

interface Figures {
  readonly atMs: number;
  readonly cpuNs?: number;
  readonly read?: number;
  readonly written?: number;
  readonly stale?: boolean;
}

function frameOf({ atMs, cpuNs, read, written, stale = false }: Figures): TelemetryFrame {
  const builder = TelemetryFrame.builder('job', 1).tsMono(atMs * 1_000_000);
  if (cpuNs !== undefined) builder.cpuNs(cpuNs);
  if (read !== undefined) builder.ioReadBytes(read);
  if (written !== undefined) builder.ioWriteBytes(written);
  if (stale) builder.quality({ cpu: ['stale'] });
  return builder.build();
}

/** What is told of frames of a watch of 100 ms, in ms. */
function told(...frames: Figures[]): (number | null)[] {
  const watch = new StallWatch(100);
  return frames.map((figures) => {
    const idleNs = watch.see(frameOf(figures));
    return idleNs === null ? null : idleNs / 1_000_000;
  });
}

test('what has used nothing for the time is told, once', () => {
  const cpuNs = 5;
  expect(
    told({ atMs: 0, cpuNs }, { atMs: 99, cpuNs }, { atMs: 100, cpuNs }, { atMs: 900, cpuNs }),
  ).toEqual([null, null, 100, null]);
});

test('and again after it has used something', () => {
  expect(
    told(
      { atMs: 0, cpuNs: 5 },
      { atMs: 150, cpuNs: 5 },
      { atMs: 160, cpuNs: 6 },
      { atMs: 259, cpuNs: 6 },
      { atMs: 260, cpuNs: 6 },
    ),
  ).toEqual([null, 150, null, null, 100]);
});

test.each<[string, Partial<Figures>]>([
  ['a nanosecond of cpu', { cpuNs: 6 }],
  ['a byte read', { read: 8 }],
  ['a byte written', { written: 10 }],
])('%s is use', (_what, used) => {
  const before = { cpuNs: 5, read: 7, written: 9 };
  expect(told({ atMs: 0, ...before }, { atMs: 100, ...before, ...used })).toEqual([null, null]);
  expect(told({ atMs: 0, ...before }, { atMs: 100, ...before })).toEqual([null, 100]);
});

test('where io cannot be read cpu decides', () => {
  expect(told({ atMs: 0, cpuNs: 5, read: 7 }, { atMs: 100, cpuNs: 5 })).toEqual([null, 100]);
});

test('a frame without cpu time, or with that of an earlier one, proves nothing', () => {
  expect(told({ atMs: 0 }, { atMs: 100 }, { atMs: 200 })).toEqual([null, null, null]);
  expect(told({ atMs: 0, cpuNs: 5 }, { atMs: 100, cpuNs: 5, stale: true })).toEqual([null, null]);
});
