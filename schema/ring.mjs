/** The ring: where everything stands in its shared memory. docs/architecture.md draws it. */

export const RING = {
  MAGIC: 0x43535045, // "EPSC", little endian
  VERSION: 2,
  HEADER_BYTES: 256,
  /** Room for 48 words; a multiple of 64, so that no two slots share a cache line. */
  SLOT_BYTES: 384,
};

/** A reader takes the size of a slot from the header; no more than this. */
export const MAX_SLOT_BYTES = 4096;

/** Words of a slot before the metrics. */
export const HEAD_WORDS = { STAMP: 0, SEQ: 1, TS_MONO: 2, VALID: 3, META: 4 };

/** Groups of named numbers: `bits` of one word, `offset`s in bytes, `code`s. */
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
    doc: '`RingHeader.STATE`.',
    values: { OPEN: 0, ENDED: 1 },
  },
  {
    name: 'RingWriterKind',
    cpp: 'ring_writer_kind',
    doc: '`RingHeader.WRITER`: a native writer can wake a reader that has the addon.',
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
    doc: 'Where the sources (two bits a part) and the qualities (four bits a part) begin in the word `META`.',
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
    doc: 'Where the figures of a part come from.',
    values: { UNAVAILABLE: 0, CGROUP: 1, PROC: 2 },
  },
  {
    name: 'QualityBit',
    cpp: 'quality',
    doc: 'What is known about the figures of a part.',
    values: { LOWER_BOUND: 1, STALE: 2, REBASED: 4, FINAL: 8 },
  },
];
