// Generated from schema/ by `npm run schema`: do not edit.

/**
 * Ring layout v2: the shared memory of a ring, for writers and readers of both engines.
 *
 * ```text
 * byte 0      header, 256 bytes
 *        0    magic u32 · version u32 · header bytes u32 · slot bytes u32 (a multiple of 64)
 *       16    capacity u32 (frames a reader can see) · slots u32 (a power of two ≥ capacity, ≥ 2)
 *       24    first u32 (index of the first frame; 0 except in tests of the wrap) · pid u32
 *       32    start of the session, CLOCK_MONOTONIC ns, u64
 *       40    length of the episode id u32 · sample period u32 (ms; 0: frames are taken manually)
 *       48    episode id: 128 bytes of ASCII
 *      176    writer u32: 0 JavaScript, 1 native (which can wake a reader that has the addon)
 *      192    head u32: index of the next frame, modulo 2^32 · state u32: 0 open, 1 ended
 *      200    deadlines missed u32: sample periods that passed without a sample
 * byte 256    slot 0: u64 words
 *             word 0   stamp u32 (low half) · unused u32
 *             word 1…  the frame
 *             …        words that no metric uses: neither written nor read
 * ```
 *
 * Frame `i` (0, 1, 2, … modulo 2^32) is in slot `i & (slots − 1)`. Its stamp is `2i + 1` while it is being written and
 * `2i + 2` when it is done, both modulo 2^32; stamps and head are u32 on both sides because atomics of unequal width
 * do not synchronize in ECMAScript's memory model.
 */

export const RING_MAGIC = 1129533509;
export const RING_VERSION = 2;
export const RING_HEADER_BYTES = 256;
export const RING_SLOT_BYTES = 384;

/** Number of words of a frame. A slot can have room for more words, which are neither written nor read. */
export const FRAME_WORDS = 27;

/** Number of words of a slot as this release writes it, and the maximum slot size that a reader accepts. */
export const RING_SLOT_WORDS = 48;
export const MAX_RING_SLOT_BYTES = 4096;

/** Byte offsets in the header. */
export const RingHeader = {
  MAGIC: 0,
  VERSION: 4,
  HEADER_BYTES: 8,
  SLOT_BYTES: 12,
  CAPACITY: 16,
  SLOTS: 20,
  FIRST: 24,
  PID: 28,
  START_MONO_NS: 32,
  EPISODE_ID_LENGTH: 40,
  SAMPLE_PERIOD_MS: 44,
  EPISODE_ID: 48,
  WRITER: 176,
  HEAD: 192,
  STATE: 196,
  DEADLINES_MISSED: 200,
} as const;

/** Values of `RingHeader.STATE`. */
export const RingState = {
  OPEN: 0,
  ENDED: 1,
} as const;

/** Values of `RingHeader.WRITER`. A native writer can wake a reader that has the addon. */
export const RingWriterKind = {
  JS: 0,
  NATIVE: 1,
} as const;

/** Bits 0–4 of the word `META`. */
export const FrameFlag = {
  HIGH_FREQUENCY: 1,
  PROMOTED: 2,
  DEGRADED: 4,
  INITIAL: 8,
  TERMINAL: 16,
} as const;

/** Positions of the sources (two bits per part) and the qualities (four bits per part) in the word `META`. */
export const MetaShift = {
  SOURCE_CPU: 8,
  SOURCE_MEMORY: 10,
  SOURCE_IO: 12,
  QUALITY_CPU: 16,
  QUALITY_MEMORY: 20,
  QUALITY_IO: 24,
} as const;

/** Source of the figures of a part. */
export const SourceCode = {
  UNAVAILABLE: 0,
  CGROUP: 1,
  PROC: 2,
} as const;

/** Quality of the figures of a part. */
export const QualityBit = {
  LOWER_BOUND: 1,
  STALE: 2,
  REBASED: 4,
  FINAL: 8,
} as const;

/** Words of a slot. Bit `w` of the word `VALID` is set if word `w` holds a value; the word of an absent metric is 0. */
export const FrameWord = {
  STAMP: 0,
  SEQ: 1,
  TS_MONO: 2,
  VALID: 3,
  META: 4,
  CPU_NS: 5,
  CPU_USER_NS: 6,
  CPU_SYSTEM_NS: 7,
  MEM_RSS_BYTES: 8,
  MEM_PEAK_BYTES: 9,
  IO_READ_BYTES: 10,
  IO_WRITE_BYTES: 11,
  MEM_CURRENT_BYTES: 12,
  PAGE_FAULTS_MAJOR: 13,
  PAGE_FAULTS_MINOR: 14,
  IO_READ_OPS: 15,
  IO_WRITE_OPS: 16,
  CPU_THROTTLED_NS: 17,
  CPU_NR_THROTTLED: 18,
  OOM_KILLS: 19,
  PIDS: 20,
  PRESSURE_CPU_SOME_NS: 21,
  PRESSURE_MEMORY_SOME_NS: 22,
  PRESSURE_MEMORY_FULL_NS: 23,
  PRESSURE_IO_SOME_NS: 24,
  PRESSURE_IO_FULL_NS: 25,
  COLLECT_NS: 26,
} as const;
