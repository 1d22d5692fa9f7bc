/// <reference lib="es2024.arraybuffer" />

import { describe, expect, expectTypeOf, test } from 'vitest';
import { TelemetryFrame } from '../../src/frame/index.js';
import { RingWriter } from '../../src/ring/index.js';
import { FrameWord, RING_SLOT_WORDS } from '../../src/schema/layout.js';
import { filled, publish, ring } from './derived-frame.js';
import { READERS } from './readers.js';

const code = (value: string) => expect.objectContaining({ code: value });
const seqs = (frames: readonly { seq: number }[]) => frames.map(({ seq }) => seq);

const SLOT_BYTES = 8 * RING_SLOT_WORDS;
const SLOT_HALVES = 2 * RING_SLOT_WORDS;

describe.each(READERS)('%s', (_kind, FrameReader) => {
  describe('a reader', () => {
    test('knows its episode', () => {
      const reader = new FrameReader(ring(5));
      expect(reader).toMatchObject({
        episodeId: 'job',
        pid: 42,
        startMonoNs: 2 ** 40 + 1,
        capacity: 5,
      });
      expect(new FrameReader({ ring: ring(5) }, { bigint: true }).startMonoNs).toBe(2n ** 40n + 1n);
    });

    test('finds nothing in an empty ring', () => {
      const reader = new FrameReader(ring(4));
      expect(reader.latest()).toBe(null);
      expect(reader.read()).toEqual({ frames: [], missed: 0 });
      expect(reader.readInto(new BigUint64Array(RING_SLOT_WORDS))).toBe(0);
      expect(reader.available).toBe(0);
    });

    test('gets every frame once, in order, with every field', () => {
      const { shared, writer } = filled(8, 5);
      const reader = new FrameReader(shared);
      expect(reader.available).toBe(5);
      const { frames, missed } = reader.read(3);
      expect(seqs(frames)).toEqual([0, 1, 2]);
      expect(missed).toBe(0);
      expect(frames[2]).toBeInstanceOf(TelemetryFrame);
      expect(frames[2]).toMatchObject({
        episodeId: 'job',
        tsMono: 2002,
        cpuNs: 5002,
        cpuUserNs: 6002,
        memPeakBytes: 9002,
        pids: 20_002,
        pressure: { cpuSomeNs: 21_002, ioFullNs: 25_002 },
        collectNs: 26_002,
        sources: { cpu: 'cgroup', memory: 'cgroup', io: 'proc' },
      });
      expect(seqs(reader.read().frames)).toEqual([3, 4]);
      publish(writer, 1);
      expect(seqs(reader.read().frames)).toEqual([5]);
    });

    test('gets frames that nobody can change', () => {
      const frame = new FrameReader(filled(4, 1).shared).latest();
      for (const object of [frame, frame?.pressure, frame?.sources, frame?.quality]) {
        expect(Object.isFrozen(object)).toBe(true);
      }
    });

    test('reads bigints where asked', () => {
      const { shared } = filled(4, 1);
      const reader = new FrameReader(shared, { bigint: true });
      const frame = reader.read().frames[0];
      expect(frame?.seq).toBe(0n);
      expect(frame?.cpuNs).toBe(5000n);
      expect(frame?.pressure.ioSomeNs).toBe(24_000n);
    });

    test('has the types that its option says', () => {
      const { shared } = filled(4, 1);
      expectTypeOf(new FrameReader(shared).read().frames).toEqualTypeOf<TelemetryFrame[]>();
      expectTypeOf(new FrameReader(shared, {}).startMonoNs).toEqualTypeOf<number>();
      const exact = new FrameReader(shared, { bigint: true });
      expectTypeOf(exact.latest()).toEqualTypeOf<TelemetryFrame<bigint> | null>();
      for (const bigint of [true, false]) {
        const either = new FrameReader(shared, { bigint });
        expectTypeOf(either.latest()).toEqualTypeOf<TelemetryFrame<number | bigint> | null>();
        expect(typeof either.latest()?.seq).toBe(bigint ? 'bigint' : 'number');
      }
    });

    test('sees the newest frame without moving', () => {
      const { shared } = filled(4, 9);
      const reader = new FrameReader(shared);
      expect(reader.latest()?.seq).toBe(8);
      expect(reader.latest()?.seq).toBe(8);
      expect(reader.missed).toBe(0);
      expect(seqs(reader.read().frames)).toEqual([5, 6, 7, 8]);
    });

    test('is told that the session ended, and still reads what is left', () => {
      const { shared, writer } = filled(4, 2);
      const reader = new FrameReader(shared);
      expect(reader.ended).toBe(false);
      writer.end();
      expect(reader.ended).toBe(true);
      expect(seqs(reader.read().frames)).toEqual([0, 1]);
    });

    test('does not disturb another one', () => {
      const { shared, writer } = filled(8, 3);
      const [one, other] = [
        new FrameReader(shared),
        new FrameReader(structuredClone({ ring: shared })),
      ];
      expect(seqs(one.read(2).frames)).toEqual([0, 1]);
      expect(seqs(other.read().frames)).toEqual([0, 1, 2]);
      publish(writer, 2);
      expect(seqs(one.read().frames)).toEqual([2, 3, 4]);
      expect(seqs(other.read().frames)).toEqual([3, 4]);
    });

    test('wants a whole number of frames', () => {
      const reader = new FrameReader(filled(4, 4).shared);
      for (const max of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => reader.read(max)).toThrow(code('ERR_OUT_OF_RANGE'));
      }
      for (const max of [2n, '2', null, {}, true]) {
        expect(() => reader.read(max as number)).toThrow(code('ERR_INVALID_CONFIG'));
      }
      expect(reader.read(0).frames).toEqual([]);
      expect(reader.read(1e9).frames).toHaveLength(4);
    });
  });

  describe('readInto', () => {
    test('copies slots as they are, into either kind of array', () => {
      const { shared } = filled(8, 5);
      const reader = new FrameReader(shared);
      const words = new BigUint64Array(2 * RING_SLOT_WORDS);
      expect(reader.readInto(words)).toBe(2);
      expect(words[FrameWord.SEQ]).toBe(0n);
      expect(words[RING_SLOT_WORDS + FrameWord.SEQ]).toBe(1n);
      expect(words[RING_SLOT_WORDS + FrameWord.CPU_NS]).toBe(5001n);
      expect(words[RING_SLOT_WORDS]).toBe(4n);
      const halves = new Uint32Array(3 * SLOT_HALVES + 1);
      expect(reader.readInto(halves)).toBe(3);
      expect(halves[2 * SLOT_HALVES + 2 * FrameWord.SEQ]).toBe(4);
      expect(reader.readInto(halves)).toBe(0);
      expect(reader.missed).toBe(0);
    });

    test('refuses a buffer that holds no frame', () => {
      const reader = new FrameReader(filled(8, 5).shared);
      for (const buffer of [new BigUint64Array(31), new Uint32Array(0)]) {
        expect(() => reader.readInto(buffer)).toThrow(code('ERR_OUT_OF_RANGE'));
      }
    });

    test.each([
      ['bytes', new Uint8Array(SLOT_BYTES)],
      [
        'bytes that are not aligned',
        new Uint8Array(new ArrayBuffer(3 * SLOT_BYTES), 3, 2 * SLOT_BYTES),
      ],
      ['a buffer', new ArrayBuffer(SLOT_BYTES)],
      ['a view', new DataView(new ArrayBuffer(SLOT_BYTES))],
      ['doubles', new Float64Array(RING_SLOT_WORDS)],
      ['signed words', new BigInt64Array(RING_SLOT_WORDS)],
      ['an array', Array.from({ length: SLOT_HALVES }, () => 0)],
      ['null', null],
      ['nothing', undefined],
    ])('refuses %s', (_what, buffer) => {
      const reader = new FrameReader(filled(8, 5).shared);
      // What a caller without types may give.
      expect(() => reader.readInto(buffer as unknown as Uint32Array)).toThrow(
        code('ERR_INVALID_CONFIG'),
      );
      expect(reader.available).toBe(5);
    });

    test('refuses a buffer that is detached, or was since', () => {
      const reader = new FrameReader(filled(8, 5).shared);
      const words = new BigUint64Array(RING_SLOT_WORDS);
      expect(reader.readInto(words)).toBe(1);
      structuredClone(words, { transfer: [words.buffer] });
      const detached = new Uint32Array(SLOT_HALVES);
      structuredClone(detached, { transfer: [detached.buffer] });
      for (const buffer of [words, detached, words]) {
        expect(() => reader.readInto(buffer)).toThrow(code('ERR_OUT_OF_RANGE'));
      }
      const whole = new Uint32Array(SLOT_HALVES);
      expect(reader.readInto(whole)).toBe(1);
      expect(() => reader.readInto(detached)).toThrow(code('ERR_OUT_OF_RANGE'));
      expect(whole[2 * FrameWord.SEQ]).toBe(1);
      expect(reader.available).toBe(3);
    });

    test('follows a buffer that shrinks and grows', () => {
      const reader = new FrameReader(filled(8, 8).shared);
      const memory = new ArrayBuffer(2 * SLOT_BYTES, { maxByteLength: 4 * SLOT_BYTES });
      const halves = new Uint32Array(memory);
      expect(reader.readInto(halves)).toBe(2);
      memory.resize(4 * SLOT_BYTES);
      expect(reader.readInto(halves)).toBe(4);
      memory.resize(SLOT_BYTES);
      expect(reader.readInto(halves)).toBe(1);
      memory.resize(SLOT_BYTES / 2);
      expect(() => reader.readInto(halves)).toThrow(code('ERR_OUT_OF_RANGE'));
      memory.resize(SLOT_BYTES);
      expect(reader.readInto(halves)).toBe(1);
      expect(halves[2 * FrameWord.SEQ]).toBe(7);
    });

    test('takes buffers that begin anywhere', () => {
      const reader = new FrameReader(filled(8, 4).shared);
      const memory = new ArrayBuffer(3 * SLOT_BYTES);
      const halves = new Uint32Array(memory, 4, 2 * SLOT_HALVES);
      expect(reader.readInto(halves)).toBe(2);
      expect(halves[SLOT_HALVES + 2 * FrameWord.SEQ]).toBe(1);
      expect(halves[SLOT_HALVES + 2 * FrameWord.CPU_NS]).toBe(5001);
      expect([new Uint32Array(memory)[0], new Uint32Array(memory)[2 * SLOT_HALVES + 1]]).toEqual([
        0, 0,
      ]);
    });

    test('counts what it missed', () => {
      const reader = new FrameReader(filled(4, 10).shared);
      expect(reader.readInto(new BigUint64Array(8 * RING_SLOT_WORDS))).toBe(4);
      expect(reader.missed).toBe(6);
    });
  });

  describe('INV-TL01: a reader that fell behind is told how many it missed', () => {
    test.each([1, 2, 3, 4, 7, 64])('with a capacity of %i', (capacity) => {
      const { shared, writer } = filled(capacity, 1000);
      const reader = new FrameReader(shared);
      const { frames, missed } = reader.read();
      expect(missed).toBe(1000 - capacity);
      expect(seqs(frames)).toEqual(Array.from({ length: capacity }, (_, i) => 1000 - capacity + i));
      publish(writer, capacity);
      expect(reader.read()).toMatchObject({ missed: 0, frames: { length: capacity } });
      expect(reader.missed).toBe(1000 - capacity);
    });

    test('frames that a later, smaller read skips are counted once', () => {
      const { shared, writer } = filled(4, 4);
      const reader = new FrameReader(shared);
      let returned = reader.read(1).frames.length;
      publish(writer, 3);
      returned += reader.read(1).frames.length;
      publish(writer, 50);
      returned += reader.read().frames.length;
      expect(returned + reader.missed).toBe(57);
    });

    test('a reader with the writer at its heels goes on from the middle', () => {
      const { shared, writer } = filled(8, 8);
      const reader = new FrameReader(shared);
      // The writer is in the middle of frame 8, which takes the slot of frame 0.
      Atomics.store(new Uint32Array(shared), 64, 2 * 8 + 1);
      expect(reader.read()).toMatchObject({
        missed: 4,
        frames: [{ seq: 4 }, { seq: 5 }, { seq: 6 }, { seq: 7 }],
      });
      publish(writer, 1);
      expect(seqs(reader.read().frames)).toEqual([8]);
    });
  });

  describe('INV-TL01: seq goes up by one from 0, also across the wrap of the head at 2^32', () => {
    test.each([2 ** 32 - 1, 2 ** 32 - 5, 2 ** 31 - 3, 2 ** 31, 2 ** 32 - 64])(
      'from %i',
      (first) => {
        const shared = ring(4, first);
        const writer = new RingWriter(shared);
        const reader = new FrameReader(shared);
        for (let seq = 0; seq < 80; seq++) {
          publish(writer, 1);
          expect(reader.latest()?.seq).toBe(seq);
          expect(reader.read()).toMatchObject({ missed: 0, frames: [{ seq, cpuNs: seq + 5000 }] });
        }
        const late = new FrameReader(shared);
        expect(late.read()).toMatchObject({
          missed: 76,
          frames: [{ seq: 76 }, { seq: 77 }, { seq: 78 }, { seq: 79 }],
        });
      },
    );
  });
});
