import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import type { TelemetryFrame } from '../../src/frame/index.js';
import { CursorBatches } from '../../src/ring/frame-batches.js';
import { FrameCursor } from '../../src/ring/frame-cursor.js';
import type { FrameBatch, FrameBatches, FramesOptions } from '../../src/ring/index.js';
import { openAtomicSlots } from '../../src/ring/slot-reader.js';
import { RingHeader, RingWriterKind } from '../../src/schema/layout.js';
import { READERS } from './readers.js';
import { openWriter, type TestWriter, type WriterKind } from './writers.js';

const code = (value: string) => expect.objectContaining({ code: value });
const DONE = { done: true, value: undefined };
const seqs = (batch: IteratorResult<FrameBatch, undefined>) =>
  batch.value?.frames.map(({ seq }) => seq);

/** Every pair that can meet: the native writer needs the addon. */
const PAIRS = READERS.flatMap(([reader, FrameReader]) =>
  (READERS.length === 1 ? (['js'] as const) : (['js', 'native'] as const)).map(
    (writer: WriterKind) => [reader, writer, FrameReader] as const,
  ),
);

describe.each(PAIRS)('frames() of a reader of %s, written by %s', (_reader, kind, FrameReader) => {
  const open = (capacity: number, first = 0) => openWriter(kind, capacity, first);
  const framesOf = (writer: TestWriter, options?: FramesOptions) =>
    new FrameReader(writer.shared).frames(options);

  test('gives what there is, then what comes, and ends with the session', async () => {
    const writer = open(8);
    writer.publish(3);
    const batches = framesOf(writer);
    expect(seqs(await batches.next())).toEqual([0, 1, 2]);
    const next = batches.next();
    writer.publish(2);
    expect(await next).toMatchObject({ value: { missed: 0, frames: [{ seq: 3 }, { seq: 4 }] } });
    const last = batches.next();
    writer.finish();
    expect(seqs(await last)).toEqual([5]);
    expect(await batches.next()).toEqual(DONE);
    expect(await batches.next()).toEqual(DONE);
  });

  test('gives all that is left of a session that has ended', async () => {
    const writer = open(4);
    writer.publish(9);
    writer.finish();
    const found: FrameBatch[] = [];
    for await (const batch of framesOf(writer)) found.push(batch);
    expect(found).toMatchObject([{ missed: 6, frames: [6, 7, 8, 9].map((seq) => ({ seq })) }]);
  });

  test('ends a next() that waits when the session ends without another frame', async () => {
    const writer = open(4);
    writer.publish(1);
    const batches = framesOf(writer);
    await batches.next();
    const [next, after] = [batches.next(), batches.next()];
    // The end alone, as of a session whose sampler is gone.
    new DataView(writer.shared).setUint32(RingHeader.STATE, 1, true);
    // A native writer would have woken its readers: another frame has to.
    if (kind === 'native') writer.publish(1);
    expect((await next).done).toBe(kind === 'js');
    expect(await after).toEqual(DONE);
  });

  test('begins with the newest frame there is where it is told to', async () => {
    const writer = open(4);
    writer.publish(9);
    const batches = framesOf(writer, { from: 'latest' });
    expect(await batches.next()).toMatchObject({ value: { missed: 0, frames: [{ seq: 8 }] } });
    writer.publish(2);
    expect(await batches.next()).toMatchObject({
      value: { missed: 0, frames: [{ seq: 9 }, { seq: 10 }] },
    });
    await batches.return();
  });

  test('begins with the first frame of an empty ring', async () => {
    const writer = open(4);
    const batches = framesOf(writer, { from: 'latest' });
    const next = batches.next();
    writer.publish(1);
    expect(await next).toMatchObject({ value: { missed: 0, frames: [{ seq: 0 }] } });
    await batches.return();
  });

  test('tells of what was overwritten after it began with the newest', async () => {
    const writer = open(2);
    writer.publish(5);
    const batches = framesOf(writer, { from: 'latest' });
    writer.publish(5);
    expect(await batches.next()).toMatchObject({
      value: { missed: 4, frames: [{ seq: 8 }, { seq: 9 }] },
    });
    await batches.return();
  });

  test.each([2 ** 32 - 3, 2 ** 31 - 3])(
    'goes on across the wrap of the head, from %i',
    async (first) => {
      const writer = open(4, first);
      const batches = framesOf(writer, { from: 'latest' });
      for (let seq = 0; seq < 8; seq++) {
        const next = batches.next();
        writer.publish(1);
        expect(await next).toMatchObject({ value: { missed: 0, frames: [{ seq }] } });
      }
      await batches.return();
    },
  );

  test('INV-TL01: what a slow consumer got and missed is what was written', async () => {
    const writer = open(8);
    const batches = framesOf(writer);
    let written = 0;
    let got = 0;
    let told = 0;
    for (const count of [1, 7, 8, 9, 100, 3, 16]) {
      writer.publish(count);
      written += count;
      const { value } = await batches.next();
      expect(value?.frames.length).toBeLessThanOrEqual(8);
      got += value?.frames.length ?? 0;
      told += value?.missed ?? 0;
      expect(got + told).toBe(written);
    }
    expect(told).toBe(1 + 92 + 8);
    await batches.return();
  });

  test('leaves read() and other iterations where they are', async () => {
    const writer = open(8);
    writer.publish(4);
    const reader = new FrameReader(writer.shared);
    const [one, other] = [reader.frames(), reader.frames({ from: 'latest' })];
    expect(seqs(await one.next())).toEqual([0, 1, 2, 3]);
    expect(reader.read(2).frames.map(({ seq }) => seq)).toEqual([0, 1]);
    writer.publish(1);
    expect(seqs(await other.next())).toEqual([3, 4]);
    expect(seqs(await one.next())).toEqual([4]);
    expect(reader.read().frames.map(({ seq }) => seq)).toEqual([2, 3, 4]);
    expect(reader.missed).toBe(0);
    await Promise.all([one.return(), other.return()]);
  });

  test('serves calls of next() that wait together in their order', async () => {
    const writer = open(8);
    writer.publish(1);
    const batches = framesOf(writer);
    const calls = [batches.next(), batches.next(), batches.next(), batches.next()];
    expect(seqs((await calls[0])!)).toEqual([0]);
    writer.publish(2);
    expect(seqs((await calls[1])!)).toEqual([1, 2]);
    writer.finish();
    expect(seqs((await calls[2])!)).toEqual([3]);
    expect(await calls[3]).toEqual(DONE);
  });

  test('return() ends what waits at once, and for good', async () => {
    const writer = open(4);
    const batches = framesOf(writer);
    const calls = [batches.next(), batches.next()];
    expect(await batches.return()).toEqual(DONE);
    expect(await Promise.all(calls)).toEqual([DONE, DONE]);
    writer.publish(1);
    expect(await batches.next()).toEqual(DONE);
    expect(await batches.return()).toEqual(DONE);
  });

  test('await using ends it while a next() waits', async () => {
    const writer = open(4);
    let call: Promise<unknown>;
    {
      await using batches = framesOf(writer);
      call = batches.next();
    }
    expect(await call).toEqual(DONE);
  });

  test('break ends a loop over it', async () => {
    const writer = open(4);
    writer.publish(2);
    const batches = framesOf(writer);
    for await (const { frames } of batches) {
      expect(frames).toHaveLength(2);
      break;
    }
    expect(await batches.next()).toEqual(DONE);
  });

  test('a signal rejects the first next() that waits, with its reason, and ends the others', async () => {
    const writer = open(4);
    const abort = new AbortController();
    const batches = framesOf(writer, { signal: abort.signal });
    const calls = [batches.next(), batches.next()];
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(calls[0]).rejects.toBe(reason);
    expect(await calls[1]).toEqual(DONE);
    expect(await batches.next()).toEqual(DONE);
  });

  test('a signal that fires between two calls rejects the next one, once, whatever there is to read', async () => {
    const writer = open(4);
    const abort = new AbortController();
    const batches = framesOf(writer, { signal: abort.signal });
    writer.publish(1);
    await batches.next();
    writer.publish(1);
    abort.abort();
    await expect(batches.next()).rejects.toMatchObject({ name: 'AbortError' });
    expect(await batches.next()).toEqual(DONE);
  });

  test('a signal that has fired before rejects the first next()', async () => {
    const writer = open(4);
    writer.publish(1);
    const batches = framesOf(writer, { signal: AbortSignal.abort() });
    await expect(batches.next()).rejects.toMatchObject({ name: 'AbortError' });
    expect(await batches.next()).toEqual(DONE);
  });

  test('a signal after the end says nothing', async () => {
    const writer = open(4);
    const abort = new AbortController();
    const batches = framesOf(writer, { signal: abort.signal });
    await batches.return();
    abort.abort();
    expect(await batches.next()).toEqual(DONE);
  });

  test('leaves no listener at the signal', async () => {
    const writer = open(4);
    const { signal } = new AbortController();
    const listeners = () => getEventListeners(signal, 'abort').length;
    const batches = framesOf(writer, { signal });
    for (let i = 0; i < 20; i++) {
      const next = batches.next();
      expect(listeners()).toBe(1);
      writer.publish(1);
      await next;
      expect(listeners()).toBe(0);
    }
    const next = batches.next();
    await batches.return();
    await next;
    expect(listeners()).toBe(0);
  });

  test('rejects a next() once where the ring turns out to be none', async () => {
    const writer = open(8);
    writer.publish(3);
    const batches = framesOf(writer);
    await batches.next();
    const calls = [batches.next(), batches.next()];
    new DataView(writer.shared).setUint32(RingHeader.HEAD, 500, true);
    // Whoever waits for a wake looks at the next one.
    if (kind === 'native') writer.publish(1);
    if (kind === 'native') new DataView(writer.shared).setUint32(RingHeader.HEAD, 500, true);
    await expect(calls[0]).rejects.toThrow(code('ERR_RING_CORRUPT'));
    expect(await calls[1]).toEqual(DONE);
    expect(await batches.next()).toEqual(DONE);
  });

  test('wants options that it knows', () => {
    const reader = new FrameReader(open(4).shared);
    for (const options of [
      { from: 'newest' },
      { from: null },
      { signal: {} },
      { signal: null },
      null,
      3,
    ]) {
      expect(() => reader.frames(options as FramesOptions)).toThrow(code('ERR_INVALID_CONFIG'));
    }
  });

  test('has the types that the reader has', async () => {
    const writer = open(4);
    writer.publish(1);
    const exact = new FrameReader(writer.shared, { bigint: true }).frames();
    expectTypeOf(exact).toEqualTypeOf<FrameBatches<bigint>>();
    expectTypeOf(framesOf(writer)).toEqualTypeOf<FrameBatches<number>>();
    for await (const { frames } of exact) {
      expectTypeOf(frames).toEqualTypeOf<TelemetryFrame<bigint>[]>();
      expect(frames[0]?.seq).toBe(0n);
      break;
    }
  });
});

describe.runIf(READERS.length > 1)('a native reader of what a native writer writes', () => {
  const FrameReader = READERS.at(-1)![1];
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is woken by each frame and by the end, by no timer', async () => {
    const writer = openWriter('native', 4);
    const batches = new FrameReader(writer.shared).frames();
    for (let seq = 0; seq < 20; seq++) {
      const next = batches.next();
      writer.publish(1);
      expect(seqs(await next)).toEqual([seq]);
    }
    const next = batches.next();
    writer.finish();
    expect(seqs(await next)).toEqual([20]);
    expect(await batches.next()).toEqual(DONE);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('many of them are woken by one frame', async () => {
    const writer = openWriter('native', 4);
    const all = Array.from({ length: 50 }, () => new FrameReader(writer.shared).frames());
    const calls = all.map((batches) => batches.next());
    writer.publish(1);
    for (const call of calls) expect(seqs(await call)).toEqual([0]);
    await Promise.all(all.map((batches) => batches.return()));
  });

  test('looks every second where a header says so that no native writer wrote', async () => {
    const writer = openWriter('js', 4);
    new DataView(writer.shared).setUint32(RingHeader.WRITER, RingWriterKind.NATIVE, true);
    const next = new FrameReader(writer.shared).frames().next();
    writer.publish(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(seqs(await next)).toEqual([0]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('the last frame and the end are seen though they come while the reader looks', async () => {
  const writer = openWriter('js', 4);
  const slots = openAtomicSlots(writer.shared);
  let looks = 0;
  // Right after the first look for frames, which found none.
  const available = () => {
    const found = slots.available;
    if (looks++ === 0) writer.finish();
    return found;
  };
  const source = new Proxy(slots, {
    get: (target, name) => {
      if (name === 'available') return available();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const batches = new CursorBatches<number>(new FrameCursor(source, false), {});
  expect(seqs(await batches.next())).toEqual([0]);
  expect(await batches.next()).toEqual(DONE);
});

describe.each(READERS)('a reader of %s that nobody wakes', (_kind, FrameReader) => {
  test.each([
    [0, 10],
    [1, 1],
    [5, 1],
    [160, 10],
    [1000, 62.5],
    [5000, 100],
    [3_600_000, 100],
    [2 ** 32 - 1, 100],
  ])('looks, at a period of %i ms, every %d ms', async (samplePeriodMs, lookMs) => {
    const writer = openWriter('js', 4);
    new DataView(writer.shared).setUint32(RingHeader.SAMPLE_PERIOD_MS, samplePeriodMs, true);
    const intervals = vi.spyOn(globalThis, 'setInterval');
    const batches = new FrameReader(writer.shared).frames();
    const next = batches.next();
    expect(intervals.mock.calls.map(([, ms]) => ms)).toEqual([lookMs]);
    intervals.mockRestore();
    await batches.return();
    await next;
  });

  test('looks at the pace of another period, of which nobody tells it, as soon as it has looked', async () => {
    const writer = openWriter('js', 4);
    const header = new DataView(writer.shared);
    header.setUint32(RingHeader.SAMPLE_PERIOD_MS, 160, true);
    const intervals = vi.spyOn(globalThis, 'setInterval');
    const paces = () => intervals.mock.calls.map(([, ms]) => ms);
    const batches = new FrameReader(writer.shared).frames();
    const next = batches.next();
    expect(paces()).toEqual([10]);
    header.setUint32(RingHeader.SAMPLE_PERIOD_MS, 16, true);
    await vi.waitUntil(() => paces().length > 1);
    expect(paces()).toEqual([10, 1]);
    intervals.mockRestore();
    writer.publish(1);
    expect(seqs(await next)).toEqual([0]);
  });
});
