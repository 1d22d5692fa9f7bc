import { assertEpisodeId, assertPid } from '../episode/id.js';
import { outOfRange } from '../error/index.js';
import { MAX_RING_BUFFER_CAPACITY, MIN_RING_BUFFER_CAPACITY } from '../schema/bounds.js';
import {
  RING_HEADER_BYTES,
  RING_MAGIC,
  RING_SLOT_BYTES,
  RING_VERSION,
  RingHeader,
} from '../schema/layout.js';
import { ringSlots } from './header.js';

export interface RingSpec {
  readonly episodeId: string;
  readonly pid: number;
  /** CLOCK_MONOTONIC at the start of the session, in ns. */
  readonly startMonoNs: bigint;
  /** Maximum number of frames that a reader can see, 1 … 65,536. */
  readonly capacity: number;
  /** Period of the frames; 0 (default) if they are taken manually. Readers derive their polling interval from it. */
  readonly samplePeriodMs?: number;
  /** Index of the first frame, default 0. Tests of the wrap at 2^32 set it. */
  readonly first?: number;
}

/**
 * Creates an empty ring for one writer and any number of readers.
 *
 * Throws `ERR_INVALID_EPISODE_ID`, `ERR_INVALID_PID`, `ERR_OUT_OF_RANGE` (capacity, samplePeriodMs, first,
 * startMonoNs).
 */
export function createRing(spec: RingSpec): SharedArrayBuffer {
  const { episodeId, pid, startMonoNs, capacity, samplePeriodMs = 0, first = 0 } = spec;
  assertEpisodeId(episodeId);
  assertPid(pid);
  assertWithin('capacity', capacity, MIN_RING_BUFFER_CAPACITY, MAX_RING_BUFFER_CAPACITY);
  assertWithin('samplePeriodMs', samplePeriodMs, 0, 2 ** 32 - 1);
  assertWithin('first', first, 0, 2 ** 32 - 1);
  if (startMonoNs < 0n || startMonoNs >= 2n ** 63n) {
    throw outOfRange('startMonoNs', startMonoNs, 'must be from 0 to 2^63 − 1');
  }

  const ring = new SharedArrayBuffer(ringBytes(capacity));
  const header = new Uint32Array(ring, 0, RING_HEADER_BYTES / 4);
  const store = (byte: number, value: number) => Atomics.store(header, byte / 4, value);
  store(RingHeader.VERSION, RING_VERSION);
  store(RingHeader.HEADER_BYTES, RING_HEADER_BYTES);
  store(RingHeader.SLOT_BYTES, RING_SLOT_BYTES);
  store(RingHeader.CAPACITY, capacity);
  store(RingHeader.SLOTS, ringSlots(capacity));
  store(RingHeader.FIRST, first);
  store(RingHeader.PID, pid);
  store(RingHeader.START_MONO_NS, Number(startMonoNs & 0xffff_ffffn));
  store(RingHeader.START_MONO_NS + 4, Number(startMonoNs >> 32n));
  store(RingHeader.SAMPLE_PERIOD_MS, samplePeriodMs);
  store(RingHeader.EPISODE_ID_LENGTH, episodeId.length);
  new Uint8Array(ring, RingHeader.EPISODE_ID, episodeId.length).set(
    Buffer.from(episodeId, 'ascii'),
  );
  store(RingHeader.HEAD, first);
  store(RingHeader.MAGIC, RING_MAGIC);
  return ring;
}

function assertWithin(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(name, value, `must be a whole number from ${min} to ${max}`);
  }
}

/** Returns the size of a ring of this capacity. */
export function ringBytes(capacity: number): number {
  return RING_HEADER_BYTES + ringSlots(capacity) * RING_SLOT_BYTES;
}
