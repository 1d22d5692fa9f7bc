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

/** Indices in the u32 words of a bound ring. */
export const HEAD = RingHeader.HEAD / 4;
export const STATE = RingHeader.STATE / 4;
export const SAMPLE_PERIOD_MS = RingHeader.SAMPLE_PERIOD_MS / 4;
export const FIRST_SLOT = RING_HEADER_BYTES / 4;
/** u32 halves of the words of a frame, which lie at the begin of its slot. */
export const FRAME_HALVES = 2 * FRAME_WORDS;
/** u32 halves of a slot as this release writes it: how far frames are apart where they are copied to. */
export const SLOT_HALVES = RING_SLOT_BYTES / 4;
/** Slots do not share a cache line. */
const SLOT_ALIGNMENT = 64;

/** What the header says for the whole life of a ring. */
export interface RingShape {
  readonly episodeId: string;
  readonly pid: number;
  readonly startMonoNs: bigint;
  readonly capacity: number;
  readonly slots: number;
  /** u32 words from one slot to the next. */
  readonly slotHalves: number;
  readonly first: number;
  /** `RingWriterKind`, as of the bind: a writer says it when it binds. */
  readonly writer: number;
}

/** The ring of any value that claims to be shared memory of this layout. */
export interface BoundRing {
  readonly shape: RingShape;
  /** The header and exactly its slots. */
  readonly words: Uint32Array;
}

export function corrupt(why: string): TelemetryError {
  return new TelemetryError('ERR_RING_CORRUPT', `not an episcope ring: ${why}`);
}

/**
 * Checks a header and its newest frame, once, and copies it: whoever can write to the buffer afterwards changes
 * what frames say, but not where anybody reads. Throws `ERR_RING_CORRUPT`, `ERR_RING_VERSION`.
 */
export function bindRing(value: unknown): BoundRing {
  const size = sharedBytesOf(value);
  if (size === null) throw corrupt('not a SharedArrayBuffer, nor what handle.share() gives');
  const ring = value as SharedArrayBuffer;
  if (size < RING_HEADER_BYTES) throw corrupt('shorter than its header');
  const header = new Uint32Array(ring, 0, RING_HEADER_BYTES / 4);
  const field = (byte: number) => Atomics.load(header, byte / 4);

  if (field(RingHeader.MAGIC) !== RING_MAGIC) throw corrupt('the magic number is another');
  const version = field(RingHeader.VERSION);
  if (version !== RING_VERSION) {
    throw new TelemetryError(
      'ERR_RING_VERSION',
      `the ring has layout version ${version}, this package reads ${RING_VERSION}`,
    );
  }
  if (field(RingHeader.HEADER_BYTES) !== RING_HEADER_BYTES) throw corrupt('wrong header size');
  const slotBytes = field(RingHeader.SLOT_BYTES);
  if (!isSlotSize(slotBytes)) throw corrupt('invalid slot size');

  const slots = field(RingHeader.SLOTS);
  const capacity = field(RingHeader.CAPACITY);
  if (capacity < 1 || capacity > MAX_RING_BUFFER_CAPACITY) {
    throw corrupt('the capacity is out of range');
  }
  if (slots !== ringSlots(capacity)) throw corrupt('its slots do not fit its capacity');
  const bytes = RING_HEADER_BYTES + slots * slotBytes;
  if (size < bytes) throw corrupt('shorter than its slots');
  if (field(RingHeader.STATE) > RingState.ENDED) throw corrupt('a state that does not exist');

  const pid = field(RingHeader.PID);
  // A reader may send this process a signal: 0 and above 2^31 would mean whole groups.
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

/** `ERR_RING_CORRUPT` unless frame `index`, or a newer one of the same slot, was written. */
export function assertWritten({ shape, words }: BoundRing, index: number): void {
  const mask = shape.slots - 1;
  const stamp = Atomics.load(words, FIRST_SLOT + (index & mask) * shape.slotHalves);
  const newer = (stamp - (2 * index + 2)) | 0;
  const sameSlot = ((((stamp - 1) >>> 1) ^ index) & mask) === 0;
  if (newer < 0 || !sameSlot) throw corrupt('its head and its slots contradict each other');
}

/** The newest frame is where the head says, and its seq is how far the head is from the first. */
function assertHead(bound: BoundRing): void {
  const { shape, words } = bound;
  const head = Atomics.load(words, HEAD);
  if (head === shape.first) return;
  const newest = (head - 1) >>> 0;
  assertWritten(bound, newest);
  const slot = FIRST_SLOT + (newest & (shape.slots - 1)) * shape.slotHalves;
  const seq = Atomics.load(words, slot + 2 * FrameWord.SEQ);
  // A writer may be overwriting it: its seq counts only where the stamp says that it is still this frame's.
  const whole = Atomics.load(words, slot) === (2 * newest + 2) >>> 0;
  if (whole && seq !== (newest - shape.first) >>> 0) {
    throw corrupt('its first frame and its head contradict each other');
  }
}

/** Room for the words of a frame, and not so much that a corrupt header makes us look far away. */
function isSlotSize(bytes: number): boolean {
  const fits = bytes >= FRAME_WORDS * 8 && bytes <= MAX_RING_SLOT_BYTES;
  return fits && bytes % SLOT_ALIGNMENT === 0;
}

/** Slots allocated for a capacity: the next power of two, so that the index of a slot survives the wrap of the head. */
export function ringSlots(capacity: number): number {
  return Math.max(2, 2 ** Math.ceil(Math.log2(capacity)));
}

function episodeIdOf(ring: SharedArrayBuffer, length: number): string {
  if (length < 1 || length > MAX_EPISODE_ID_LENGTH) {
    throw corrupt('the episode id has no length in range');
  }
  const bytes = new Uint8Array(ring, RingHeader.EPISODE_ID, length);
  const id = String.fromCharCode(...bytes);
  if (!isEpisodeId(id)) throw corrupt('the episode id has other characters');
  return id;
}
