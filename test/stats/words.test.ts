import { describe, expect, test } from 'vitest';
import { createRing, FrameReader, RingWriter } from '../../src/ring/index.js';
import { FrameWord } from '../../src/schema/layout.js';
import {
  CpuStats,
  cpuStatsOf,
  IoStats,
  ioStatsOf,
  MemoryStats,
  memoryStatsOf,
  ResourceStats,
  statsOfFrame,
  wordsOfStats,
} from '../../src/stats/index.js';

const stats = new ResourceStats<bigint>({
  cpu: new CpuStats<bigint>({
    source: 'cgroup',
    usageNs: 2n ** 60n + 1n,
    userNs: 2n,
    systemNs: 3n,
    nrThrottled: 4n,
  }),
  memory: new MemoryStats<bigint>({
    source: 'proc',
    rssBytes: 5n,
    peakBytes: 6n,
    pageFaultsMinor: 7n,
  }),
  io: IoStats.unavailable<bigint>(),
});

describe('stats in slot words', () => {
  test('come back as they were', () => {
    const words = wordsOfStats(stats);
    expect(cpuStatsOf<bigint>(words, { source: 'cgroup', bigint: true })).toEqual(stats.cpu);
    expect(memoryStatsOf<bigint>(words, { source: 'proc', bigint: true })).toEqual(stats.memory);
    expect(ioStatsOf<bigint>(words, { source: 'unavailable', bigint: true })).toEqual(stats.io);
    expect(memoryStatsOf(words, { source: 'proc' }).rssBytes).toBe(5);
  });

  test('an absent value has its validity bit off and its word 0', () => {
    const words = wordsOfStats(stats);
    expect(words[FrameWord.CPU_THROTTLED_NS]).toBe(0n);
    expect(((words[FrameWord.VALID] ?? 0n) >> BigInt(FrameWord.CPU_THROTTLED_NS)) & 1n).toBe(0n);
    expect(((words[FrameWord.VALID] ?? 0n) >> BigInt(FrameWord.CPU_NS)) & 1n).toBe(1n);
  });

  test('survive a ring', () => {
    const ring = createRing({ episodeId: 'job', pid: 1, startMonoNs: 0n, capacity: 2 });
    new RingWriter(ring).publish(wordsOfStats(stats));
    const frame = new FrameReader(ring, { bigint: true }).latest();
    expect(frame && statsOfFrame(frame)).toEqual(stats);
  });
});
