/** The layout of a ring in shared memory. docs/architecture.md has a drawing. */

export const RING = {
  MAGIC: 0x43535045, // "EPSC", little endian
  VERSION: 2,
  HEADER_BYTES: 256,
  /** Room for 48 words. A multiple of 64, so that slots do not share a cache line. */
  SLOT_BYTES: 384,
};

/** A reader takes the size of a slot from the header, and accepts at most this size. */
export const MAX_SLOT_BYTES = 4096;

/** The words of a slot that precede the metrics. */
export const HEAD_WORDS = { STAMP: 0, SEQ: 1, TS_MONO: 2, VALID: 3, META: 4 };

/** Groups of named numbers: bits of a word, offsets in bytes, codes. */
export const NUMBERS = [
  {
    name: 'RingHeader',
    cpp: 'header',
    doc: 'Byte offsets in the header.',
    values: {
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
    },
  },
  {
    name: 'RingState',
    cpp: 'ring_state',
    doc: 'Values of `RingHeader.STATE`.',
    values: { OPEN: 0, ENDED: 1 },
  },
  {
    name: 'RingWriterKind',
    cpp: 'ring_writer_kind',
    doc: 'Values of `RingHeader.WRITER`. A native writer can wake a reader that has the addon.',
    values: { JS: 0, NATIVE: 1 },
  },
  {
    name: 'FrameFlag',
    cpp: 'flag',
    doc: 'Bits 0–4 of the word `META`.',
    values: { HIGH_FREQUENCY: 1, PROMOTED: 2, DEGRADED: 4, INITIAL: 8, TERMINAL: 16 },
  },
  {
    name: 'MetaShift',
    cpp: 'meta_shift',
    doc: 'Positions of the sources (two bits per part) and the qualities (four bits per part) in the word `META`.',
    values: {
      SOURCE_CPU: 8,
      SOURCE_MEMORY: 10,
      SOURCE_IO: 12,
      QUALITY_CPU: 16,
      QUALITY_MEMORY: 20,
      QUALITY_IO: 24,
    },
  },
  {
    name: 'SourceCode',
    cpp: 'source',
    doc: 'Source of the figures of a part.',
    values: { UNAVAILABLE: 0, CGROUP: 1, PROC: 2 },
  },
  {
    name: 'QualityBit',
    cpp: 'quality',
    doc: 'Quality of the figures of a part.',
    values: { LOWER_BOUND: 1, STALE: 2, REBASED: 4, FINAL: 8 },
  },
];
