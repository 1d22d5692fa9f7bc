import { isEpisodeId, isPid } from '../episode/id.js';
import { TelemetryError } from '../error/index.js';
import {
  RING_HEADER_BYTES,
  RING_MAGIC,
  RING_SLOT_BYTES,
  RING_VERSION,
  RingHeader,
} from './layout.js';

/** Slots of the largest ring. */
const MAX_SLOTS = 65_536;
const MAX_ID_BYTES = RingHeader.HEAD - RingHeader.EPISODE_ID;

/** What the header says for the whole life of a ring. */
export interface RingShape {
  readonly episodeId: string;
  readonly pid: number;
  readonly startMonoNs: bigint;
  readonly capacity: number;
  readonly slots: number;
  readonly first: number;
}

/** The ring of any value that claims to be shared memory of this layout. */
export interface BoundRing {
  readonly shape: RingShape;
  /** The header and exactly its slots. */
  readonly words: Uint32Array;
}

export function corrupt(why: string): TelemetryError {
  return new TelemetryError('ERR_RING_CORRUPT', `this is no ring of frames: ${why}`);
}

/**
 * Checks a header, once, and copies it: whoever can write to the buffer afterwards changes what frames say, but
 * not where anybody reads. Throws `ERR_RING_CORRUPT`, `ERR_RING_VERSION`.
 */
export function bindRing(ring: unknown): BoundRing {
  if (!(ring instanceof SharedArrayBuffer)) throw corrupt('not a SharedArrayBuffer');
  if (ring.byteLength < RING_HEADER_BYTES) throw corrupt('shorter than its header');
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
  if (field(RingHeader.SLOT_BYTES) !== RING_SLOT_BYTES) throw corrupt('wrong slot size');

  const slots = field(RingHeader.SLOTS);
  const capacity = field(RingHeader.CAPACITY);
  // Powers of two only: `&` of two such neighbours is 0.
  if (slots < 2 || slots > MAX_SLOTS || (slots & (slots - 1)) !== 0) {
    throw corrupt('the number of slots is no power of two in range');
  }
  if (capacity < 1 || capacity > slots) throw corrupt('the capacity does not fit the slots');
  const bytes = RING_HEADER_BYTES + slots * RING_SLOT_BYTES;
  if (ring.byteLength < bytes) throw corrupt('shorter than its slots');

  const pid = field(RingHeader.PID);
  // A reader may send this process a signal: 0 and above 2^31 would mean whole groups.
  if (!isPid(pid)) throw corrupt('the pid is none');
  const shape: RingShape = {
    episodeId: episodeIdOf(ring, field(RingHeader.EPISODE_ID_LENGTH)),
    pid,
    startMonoNs:
      (BigInt(field(RingHeader.START_MONO_NS + 4)) << 32n) |
      BigInt(field(RingHeader.START_MONO_NS)),
    capacity,
    slots,
    first: field(RingHeader.FIRST),
  };
  return { shape, words: new Uint32Array(ring, 0, bytes / 4) };
}

function episodeIdOf(ring: SharedArrayBuffer, length: number): string {
  if (length < 1 || length > MAX_ID_BYTES) throw corrupt('the episode id has no length in range');
  const bytes = new Uint8Array(ring, RingHeader.EPISODE_ID, length);
  const id = String.fromCharCode(...bytes);
  if (!isEpisodeId(id)) throw corrupt('the episode id has other characters');
  return id;
}
