/// <reference lib="es2024.sharedmemory" />

import { describe, expect, test } from 'vitest';
import { MAX_FRAME_NS } from '../../src/frame/index.js';
import { createRing, RingWriter } from '../../src/ring/index.js';
import {
  FrameWord,
  MAX_RING_SLOT_BYTES,
  MetaShift,
  RING_HEADER_BYTES,
  RING_SLOT_BYTES,
  RING_SLOT_WORDS,
  RingHeader,
  SourceCode,
} from '../../src/schema/layout.js';
import { filled, publish, ring, ringOfSlots } from './derived-frame.js';
import { READERS } from './readers.js';

const code = (value: string) => expect.objectContaining({ code: value });
const CORRUPT = code('ERR_RING_CORRUPT');

function edited(byte: number, value: number, shared = filled(8, 3).shared): SharedArrayBuffer {
  new DataView(shared).setUint32(byte, value, true);
  return shared;
}

/** The same bytes in an ArrayBuffer. */
function unshared(shared: SharedArrayBuffer): ArrayBuffer {
  return new Uint8Array(new Uint8Array(shared)).buffer;
}

describe.each(READERS)(
  '%s: a corrupt or foreign buffer is an error, never a read outside it',
  (_kind, FrameReader) => {
    test.each([
      ['another magic', RingHeader.MAGIC, 0x43535046],
      ['another header size', RingHeader.HEADER_BYTES, 0],
      ['another slot size', RingHeader.SLOT_BYTES, 128],
      ['no capacity', RingHeader.CAPACITY, 0],
      ['more capacity than slots', RingHeader.CAPACITY, 9],
      ['a capacity that fits half as many slots', RingHeader.CAPACITY, 4],
      ['a capacity beyond every ring', RingHeader.CAPACITY, 0xffff_ffff],
      ['more slots than its capacity needs', RingHeader.SLOTS, 4],
      ['a state that does not exist', RingHeader.STATE, 2],
      ['no slots', RingHeader.SLOTS, 0],
      ['one slot', RingHeader.SLOTS, 1],
      ['slots that are no power of two', RingHeader.SLOTS, 9],
      ['more slots than memory', RingHeader.SLOTS, 16],
      ['slots beyond every ring', RingHeader.SLOTS, 131_072],
      ['2^31 slots', RingHeader.SLOTS, 0x8000_0000],
      ['an id without length', RingHeader.EPISODE_ID_LENGTH, 0],
      ['an id of 129 characters', RingHeader.EPISODE_ID_LENGTH, 129],
      ['an id of 2^32 − 1 characters', RingHeader.EPISODE_ID_LENGTH, 0xffff_ffff],
      ['an id with a slash', RingHeader.EPISODE_ID, 0x2f2f2f2f],
      ['an id with a NUL', RingHeader.EPISODE_ID, 0],
      ['pid 0', RingHeader.PID, 0],
      ['pid 2^31', RingHeader.PID, 0x8000_0000],
      ['a head ahead of its slots', RingHeader.HEAD, 500],
      ['a head before its first', RingHeader.HEAD, 0xffff_fff0],
      ['a first behind its head', RingHeader.FIRST, 4],
      ['a first in the middle of its frames', RingHeader.FIRST, 1],
      ['a first long before its frames', RingHeader.FIRST, 0xffff_ff00],
    ])('%s', (_what, byte, value) => {
      const shared = edited(byte, value);
      expect(() => new FrameReader(shared).read()).toThrow(CORRUPT);
    });

    test('no writer takes a ring whose head contradicts its slots', () => {
      for (const [byte, value] of [
        [RingHeader.HEAD, 500],
        [RingHeader.FIRST, 1],
        [RingHeader.STATE, 7],
      ] as const) {
        expect(() => new RingWriter(edited(byte, value))).toThrow(CORRUPT);
      }
    });

    test.each([
      ['nothing', 0],
      ['fewer words than a frame has', 192],
      ['no multiple of a cache line', RING_SLOT_BYTES - 8],
      ['half a cache line too much', RING_SLOT_BYTES + 32],
      ['more than any writer makes', MAX_RING_SLOT_BYTES + 64],
    ])('slots of a size that is wrong: %s', (_what, slotBytes) => {
      const shared = ringOfSlots(slotBytes, 8);
      expect(() => new FrameReader(shared)).toThrow(CORRUPT);
      expect(() => new RingWriter(shared)).toThrow(CORRUPT);
    });

    test.each([1, 3])('version %i is ERR_RING_VERSION, for readers and writers', (version) => {
      const shared = edited(RingHeader.VERSION, version);
      expect(() => new FrameReader(shared)).toThrow(code('ERR_RING_VERSION'));
      expect(() => new RingWriter(shared)).toThrow(code('ERR_RING_VERSION'));
    });

    test.each([
      ['null', null],
      ['nothing', undefined],
      ['a number', 5],
      ['an empty object', {}],
      ['memory that is not shared', new ArrayBuffer(4096)],
      ['a view', new Uint8Array(new SharedArrayBuffer(4096))],
      ['a ring in a ring', { ring: { ring: ring(4) } }],
      ['no bytes', new SharedArrayBuffer(0)],
      ['half a header', new SharedArrayBuffer(128)],
      ['zeros', new SharedArrayBuffer(4096)],
      ['an object with the prototype of shared memory', Object.create(SharedArrayBuffer.prototype)],
      ['a proxy of a ring', new Proxy(ring(4), {})],
      ['a ring with no memory', { ring: null }],
      ['the bytes of a ring in memory that is not shared', unshared(ring(4))],
    ])('%s', (_what, shared) => {
      expect(() => new FrameReader(shared as SharedArrayBuffer)).toThrow(CORRUPT);
      expect(() => new RingWriter(shared as SharedArrayBuffer)).toThrow(CORRUPT);
    });

    test('a detached buffer', () => {
      const buffer: object = unshared(ring(4));
      structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
      expect(() => new FrameReader(buffer as SharedArrayBuffer)).toThrow(CORRUPT);
    });

    test('memory that ends in the last slot', () => {
      const whole = filled(8, 3).shared;
      const short = new SharedArrayBuffer(whole.byteLength - 4);
      new Uint8Array(short).set(new Uint8Array(whole).subarray(0, short.byteLength));
      expect(() => new FrameReader(short)).toThrow(CORRUPT);
    });

    test('memory that may grow is read like any other', () => {
      const whole = filled(8, 3).shared;
      const growable = new SharedArrayBuffer(whole.byteLength, { maxByteLength: 1 << 20 });
      new Uint8Array(growable).set(new Uint8Array(whole));
      const reader = new FrameReader(growable);
      growable.grow(1 << 20);
      publish(new RingWriter(growable), 2);
      expect(reader.read()).toMatchObject({ missed: 0, frames: { length: 5 } });
    });

    test('memory of a subclass that lies about its length', () => {
      class Lying extends SharedArrayBuffer {
        override get byteLength(): number {
          return 2 ** 30;
        }
      }
      const whole = filled(8, 3).shared;
      const short = new Lying(whole.byteLength - RING_SLOT_BYTES);
      new Uint8Array(short).set(new Uint8Array(whole).subarray(0, -RING_SLOT_BYTES));
      expect(() => new FrameReader(short)).toThrow(CORRUPT);
    });

    test('options of another kind', () => {
      for (const options of [null, 1, { bigint: 1 }, { bigint: null }]) {
        expect(() => new FrameReader(ring(4), options as { bigint?: false })).toThrow(
          code('ERR_INVALID_CONFIG'),
        );
      }
    });

    test('sizes that change after the reader was made change nothing for it', () => {
      const { shared, writer } = filled(8, 3);
      const reader = new FrameReader(shared);
      edited(RingHeader.SLOTS, 0x8000_0000, shared);
      edited(RingHeader.CAPACITY, 0xffff_ffff, shared);
      publish(writer, 20);
      expect(reader.capacity).toBe(8);
      expect(reader.read()).toMatchObject({ missed: 15, frames: { length: 8 } });
    });

    test('a head that jumps ahead later', () => {
      const { shared } = filled(8, 3);
      const reader = new FrameReader(shared);
      edited(RingHeader.HEAD, 5000, shared);
      expect(() => reader.read()).toThrow(CORRUPT);
      expect(() => reader.latest()).toThrow(CORRUPT);
    });

    test('slots that claim to be overtaken for ever end the read', () => {
      const { shared } = filled(8, 8);
      const reader = new FrameReader(shared);
      for (let slot = 0; slot < 8; slot++)
        edited(RING_HEADER_BYTES + slot * RING_SLOT_BYTES, 2 * (slot + 8) + 2, shared);
      expect(reader.read().frames).toEqual([]);
      expect(() => reader.latest()).toThrow(CORRUPT);
    });

    test('any header, random', () => {
      let seed = 1;
      const random = () => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return seed;
      };
      for (let round = 0; round < 2000; round++) {
        const byte = 4 * (random() % 50);
        const shared = edited(byte, random() % 3 === 0 ? random() % 40 : random());
        try {
          const reader = new FrameReader(shared);
          reader.read(20);
          reader.latest();
        } catch (error) {
          expect(error).toMatchObject({
            code: expect.stringMatching(/^ERR_RING_(CORRUPT|VERSION)$/),
          });
        }
      }
    });
  },
);

describe.each(READERS)('%s: garbage in a frame', (_kind, FrameReader) => {
  const frameOf = (change: (words: BigUint64Array) => void) => {
    const shared = ring(4);
    const words = new BigUint64Array(RING_SLOT_WORDS).fill(0xffff_ffff_ffff_ffffn);
    change(words);
    new RingWriter(shared).publish(words);
    return new FrameReader(shared, { bigint: true });
  };

  test.each(['SOURCE_CPU', 'SOURCE_MEMORY', 'SOURCE_IO'] as const)('in %s is corrupt', (shift) => {
    const reader = frameOf((words) => {
      words[FrameWord.META] = BigInt(3 << MetaShift[shift]);
    });
    expect(() => reader.latest()).toThrow(CORRUPT);
    expect(() => reader.read()).toThrow(CORRUPT);
  });

  test('INV-TL02: values beyond 2^63 − 1 are clamped', () => {
    const frame = frameOf((words) => {
      words[FrameWord.META] = BigInt(SourceCode.PROC << MetaShift.SOURCE_CPU);
    }).latest();
    expect(frame).toMatchObject({
      seq: 0n,
      tsMono: MAX_FRAME_NS,
      cpuNs: MAX_FRAME_NS,
      pids: MAX_FRAME_NS,
      memRssBytes: null,
    });
  });

  test('unknown flags, qualities and validity bits are ignored', () => {
    const frame = frameOf((words) => {
      words[FrameWord.META] = 0xffff_ffff_f0ff_c0e0n;
    }).latest();
    expect(frame?.o11yFlags.hasAny).toBe(false);
    expect(frame?.sources).toEqual({
      cpu: 'unavailable',
      memory: 'unavailable',
      io: 'unavailable',
    });
    expect(frame?.quality.cpu.size).toBe(4);
  });
});

describe.each(READERS)('createRing, seen by %s', (_kind, FrameReader) => {
  const good = { episodeId: 'job', pid: 1, startMonoNs: 0n, capacity: 4 };

  test.each([
    [{ episodeId: 'a/b' }, 'ERR_INVALID_EPISODE_ID'],
    [{ pid: 0 }, 'ERR_INVALID_PID'],
    [{ capacity: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ capacity: 65_537 }, 'ERR_OUT_OF_RANGE'],
    [{ capacity: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ samplePeriodMs: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ samplePeriodMs: 2 ** 32 }, 'ERR_OUT_OF_RANGE'],
    [{ samplePeriodMs: 0.5 }, 'ERR_OUT_OF_RANGE'],
    [{ first: 2 ** 32 }, 'ERR_OUT_OF_RANGE'],
    [{ startMonoNs: -1n }, 'ERR_OUT_OF_RANGE'],
  ])('refuses %o', (change, expected) => {
    expect(() => createRing({ ...good, ...change })).toThrow(code(expected));
  });

  test('INV-TL07: makes rings of 1 and of 65,536 frames', () => {
    for (const capacity of [1, 65_536]) {
      expect(new FrameReader(createRing({ ...good, capacity })).capacity).toBe(capacity);
    }
  });

  test('says how often a frame is due', () => {
    const periodOf = (shared: SharedArrayBuffer) =>
      new DataView(shared).getUint32(RingHeader.SAMPLE_PERIOD_MS, true);
    expect(periodOf(createRing({ ...good, samplePeriodMs: 250 }))).toBe(250);
    expect(periodOf(createRing(good))).toBe(0);
  });

  test('takes an id of 128 characters', () => {
    const episodeId = 'x'.repeat(128);
    expect(new FrameReader(createRing({ ...good, episodeId })).episodeId).toBe(episodeId);
  });
});

describe.each(READERS)(
  '%s: a head that lied and was repaired by its writer',
  (_kind, FrameReader) => {
    test('is an error while it lies, and the newest frame is there again after that', () => {
      const { shared, writer } = filled(8, 3);
      const reader = new FrameReader(shared);
      new DataView(shared).setUint32(RingHeader.HEAD, 1003, true);
      expect(() => reader.latest()).toThrow(CORRUPT);
      expect(() => reader.read()).toThrow(CORRUPT);
      publish(writer, 1);
      expect(reader.latest()?.seq).toBe(3);
    });
  },
);
