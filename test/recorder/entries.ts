/** What a session hands to its recorder, made by hand. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { EndEntry, FramesEntry, StartEntry } from '../../src/collector/frame-sink.js';
import { O11yFlags, TelemetryFrame } from '../../src/frame/index.js';
import { TelemetryPolicy } from '../../src/policy/index.js';
import { type Recording, readRecording } from '../../src/recorder/index.js';

export function startEntry(changed: Partial<StartEntry> = {}): StartEntry {
  return {
    kind: 'start',
    episodeId: 'job',
    pid: 4711,
    startedAt: new Date('2026-03-01T12:00:00.250Z'),
    startMonoNs: 2n ** 60n + 1n,
    engine: 'js',
    tier: 'auto',
    cgroupPath: null,
    policy: TelemetryPolicy.forRiskTier(3),
    budget: null,
    baseline: 'zero',
    onExhausted: 'stop',
    ...changed,
  };
}

export function frameOf(seq: number | bigint, episodeId = 'job'): TelemetryFrame<bigint> {
  return TelemetryFrame.builder(episodeId, BigInt(seq))
    .tsMono(BigInt(seq) * 1000n)
    .cpuNs(BigInt(seq) * 7n + 3n)
    .cpuUserNs(BigInt(seq) * 7n)
    .memRssBytes(4096)
    .memPeakBytes(8192)
    .ioReadBytes(1)
    .ioWriteBytes(2)
    .pids(1)
    .o11yFlags(O11yFlags.none.withPromoted())
    .build();
}

export function framesFrom(first: number, count: number): TelemetryFrame<bigint>[] {
  return Array.from({ length: count }, (_, index) => frameOf(first + index));
}

export function framesEntry(
  frames: readonly TelemetryFrame<bigint>[],
  changed: Partial<FramesEntry> = {},
): FramesEntry {
  return {
    kind: 'frames',
    episodeId: 'job',
    trigger: 'periodic',
    reason: null,
    frames,
    missed: 0,
    ...changed,
  };
}

export function endEntry(changed: Partial<EndEntry> = {}): EndEntry {
  return {
    kind: 'end',
    episodeId: 'job',
    reason: 'exit',
    frame: frameOf(9),
    wallNs: 2n ** 61n + 1n,
    framesCollected: 10,
    framesPromoted: 5,
    exhausted: null,
    ...changed,
  };
}

export interface ReadBack<N extends number | bigint> {
  readonly recording: Recording<N>;
  readonly frames: TelemetryFrame<N>[];
}

export async function readBack(path: string): Promise<ReadBack<bigint>> {
  const recording = readRecording(path, { bigint: true });
  const frames: TelemetryFrame<bigint>[] = [];
  for await (const frame of recording) frames.push(frame);
  return { recording, frames };
}

export function seqsOf(frames: readonly TelemetryFrame<bigint>[]): number[] {
  return frames.map(({ seq }) => Number(seq));
}

/** The lines of a file, parsed (rounded beyond 2^53). */
export function jsonLines(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** The error of a promise that is to be rejected. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (cause) {
    return cause;
  }
  throw new Error('it was not rejected');
}

/** The files below the system's temporary directory that this process has open. */
export function openFiles(): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith(`${tmpdir()}/episcope-test-`)).sort();
}
