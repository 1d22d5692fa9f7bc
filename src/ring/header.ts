import { isEpisodeId, isPid } from '../episode/id.js';
import { TelemetryError } from '../error/index.js';
import { sharedBytesOf } from '../realm/shared-memory.js';
import { MAX_EPISODE_ID_LENGTH, MAX_RING_BUFFER_CAPACITY } from '../schema/bounds.js';
import {
  FRAME_WORDS,
  FrameWord,
  MAX_RING_SLOT_BYTES,
  RING_HEADER_BYTES,
  RING_MAGIC,
  RING_SLOT_BYTES,
  RING_VERSION,
  RingHeader,
  RingState,
} from '../schema/layout.js';

/** Indices into the u32 words of a bound ring. */
export const HEAD = RingHeader.HEAD / 4;
export const STATE = RingHeader.STATE / 4;
export const SAMPLE_PERIOD_MS = RingHeader.SAMPLE_PERIOD_MS / 4;
export const FIRST_SLOT = RING_HEADER_BYTES / 4;
/** Number of u32 halves of a frame's words, which are at the start of its slot. */
export const FRAME_HALVES = 2 * FRAME_WORDS;
/** Number of u32 halves of a slot as this release writes it; also the distance between copied frames. */
export const SLOT_HALVES = RING_SLOT_BYTES / 4;
/** Slots must not share a cache line. */
const SLOT_ALIGNMENT = 64;

/** The header fields that never change while the ring exists. */
export interface RingShape {
  readonly episodeId: string;
  readonly pid: number;
  readonly startMonoNs: bigint;
  readonly capacity: number;
  readonly slots: number;
  /** Distance between two slots, in u32 words. */
  readonly slotHalves: number;
  readonly first: number;
  /** `RingWriterKind`, which a writer stores when it binds the ring. */
  readonly writer: number;
}

/** A ring whose header has been checked. */
export interface BoundRing {
  readonly shape: RingShape;
  /** The header and its slots, without what follows them in the buffer. */
  readonly words: Uint32Array;
}

export function corrupt(why: string): TelemetryError {
  return new TelemetryError('ERR_RING_CORRUPT', `not an episcope ring: ${why}`);
}

/**
 * Checks the header and the newest frame once, and copies the header. Another thread that writes to the buffer later
 * can change the contents of frames, but not the addresses that are read. Throws `ERR_RING_CORRUPT`,
 * `ERR_RING_VERSION`.
 */
export function bindRing(value: unknown): BoundRing {
  const size = sharedBytesOf(value);
  if (size === null) throw corrupt('expected a SharedArrayBuffer or the result of handle.share()');
  const ring = value as SharedArrayBuffer;
  if (size < RING_HEADER_BYTES) throw corrupt('shorter than a header');
  const header = new Uint32Array(ring, 0, RING_HEADER_BYTES / 4);
  const field = (byte: number) => Atomics.load(header, byte / 4);

  if (field(RingHeader.MAGIC) !== RING_MAGIC) throw corrupt('wrong magic number');
  const version = field(RingHeader.VERSION);
  if (version !== RING_VERSION) {
    throw new TelemetryError(
      'ERR_RING_VERSION',
      `the ring has layout version ${version}, this package supports version ${RING_VERSION}`,
    );
  }
  if (field(RingHeader.HEADER_BYTES) !== RING_HEADER_BYTES) throw corrupt('wrong header size');
  const slotBytes = field(RingHeader.SLOT_BYTES);
  if (!isSlotSize(slotBytes)) throw corrupt('invalid slot size');

  const slots = field(RingHeader.SLOTS);
  const capacity = field(RingHeader.CAPACITY);
  if (capacity < 1 || capacity > MAX_RING_BUFFER_CAPACITY) {
    throw corrupt('capacity out of range');
  }
  if (slots !== ringSlots(capacity)) throw corrupt('the slot count does not match the capacity');
  const bytes = RING_HEADER_BYTES + slots * slotBytes;
  if (size < bytes) throw corrupt('shorter than its slots');
  if (field(RingHeader.STATE) > RingState.ENDED) throw corrupt('invalid state');

  const pid = field(RingHeader.PID);
  // The pid may be used to send a signal: 0 and values from 2^31 address whole process groups.
  if (!isPid(pid)) throw corrupt('invalid pid');
  const shape: RingShape = {
    episodeId: episodeIdOf(ring, field(RingHeader.EPISODE_ID_LENGTH)),
    pid,
    startMonoNs:
      (BigInt(field(RingHeader.START_MONO_NS + 4)) << 32n) |
      BigInt(field(RingHeader.START_MONO_NS)),
    capacity,
    slots,
    slotHalves: slotBytes / 4,
    first: field(RingHeader.FIRST),
    writer: field(RingHeader.WRITER),
  };
  const bound = { shape, words: new Uint32Array(ring, 0, bytes / 4) };
  assertHead(bound);
  return bound;
}

/** Throws `ERR_RING_CORRUPT` unless frame `index`, or a newer one in the same slot, has been written. */
export function assertWritten({ shape, words }: BoundRing, index: number): void {
  const mask = shape.slots - 1;
  const stamp = Atomics.load(words, FIRST_SLOT + (index & mask) * shape.slotHalves);
  const newer = (stamp - (2 * index + 2)) | 0;
  const sameSlot = ((((stamp - 1) >>> 1) ^ index) & mask) === 0;
  if (newer < 0 || !sameSlot) throw corrupt('the head contradicts the slots');
}

/** Checks that the newest frame is at the head, and that its seq is its distance from the first frame. */
function assertHead(bound: BoundRing): void {
  const { shape, words } = bound;
  const head = Atomics.load(words, HEAD);
  if (head === shape.first) return;
  const newest = (head - 1) >>> 0;
  assertWritten(bound, newest);
  const slot = FIRST_SLOT + (newest & (shape.slots - 1)) * shape.slotHalves;
  const seq = Atomics.load(words, slot + 2 * FrameWord.SEQ);
  // A writer may be overwriting the slot: the seq is valid only if the stamp is still that of this frame.
  const whole = Atomics.load(words, slot) === (2 * newest + 2) >>> 0;
  if (whole && seq !== (newest - shape.first) >>> 0) {
    throw corrupt('the head contradicts the first frame');
  }
}

/** Whether a slot holds the words of a frame; the upper bound limits the memory a corrupt header makes us read. */
function isSlotSize(bytes: number): boolean {
  const fits = bytes >= FRAME_WORDS * 8 && bytes <= MAX_RING_SLOT_BYTES;
  return fits && bytes % SLOT_ALIGNMENT === 0;
}

/** Returns the number of slots for a capacity: a power of two, so that slot indices stay valid when the head wraps. */
export function ringSlots(capacity: number): number {
  return Math.max(2, 2 ** Math.ceil(Math.log2(capacity)));
}

function episodeIdOf(ring: SharedArrayBuffer, length: number): string {
  if (length < 1 || length > MAX_EPISODE_ID_LENGTH) {
    throw corrupt('episode id length out of range');
  }
  const bytes = new Uint8Array(ring, RingHeader.EPISODE_ID, length);
  const id = String.fromCharCode(...bytes);
  if (!isEpisodeId(id)) throw corrupt('invalid episode id');
  return id;
}
