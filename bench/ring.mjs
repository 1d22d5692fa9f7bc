// Measures the time to write and read a frame in the ring by each engine, as JSON: `npm run bench:ring [-- ROUNDS]`.
// Writers and readers take turns in one run, so that noise of the machine affects all of them alike.
import { cpus, release } from 'node:os';
import { loadNativeEngine } from '../dist/engine/native/engine.js';
import { nativeSlots } from '../dist/readers/native-slots.js';
import { createRing, RingWriter } from '../dist/ring/index.js';
import { FrameReader, frameReaderClass } from '../dist/ring/reader.js';
import {
  FRAME_WORDS,
  FrameWord,
  MetaShift,
  RING_SLOT_WORDS,
  SourceCode,
} from '../dist/schema/layout.js';
import { percentile } from './statistics.mjs';

const rounds = Number(process.argv[2] ?? 2_000);
const FRAMES = 64;
const WARM_UP = 200;

/** The words of every frame: all metrics valid, all from a cgroup. */
const words = new BigUint64Array(FRAME_WORDS).fill(0x1_0000_0001n);
words[FrameWord.VALID] = (1n << BigInt(FRAME_WORDS)) - 1n;
words[FrameWord.META] = BigInt(
  (SourceCode.CGROUP << MetaShift.SOURCE_CPU) |
    (SourceCode.CGROUP << MetaShift.SOURCE_MEMORY) |
    (SourceCode.CGROUP << MetaShift.SOURCE_IO),
);

function newRing() {
  return createRing({ episodeId: 'bench', pid: process.pid, startMonoNs: 0n, capacity: FRAMES });
}

function jsWriter() {
  const ring = newRing();
  const writer = new RingWriter(ring);
  return { ring, publish: () => writer.publish(words) };
}

function nativeWriter(engine) {
  const ring = newRing();
  const episode = engine.openEpisode({
    episodeId: 'bench',
    pid: process.pid,
    ring,
    tier: 'proc',
    cgroup: null,
    procRoot: '/proc',
    reaperPid: 0,
    memoryStatPeriodNs: 0n,
    budget: null,
    onExhausted: 'stop',
  });
  return { ring, publish: () => episode.publish(words, 0) };
}

/** Returns every operation as a function that handles FRAMES frames. */
function operationsOf({ ring, publish }, Reader) {
  const [copying, decoding] = [new Reader(ring), new Reader(ring)];
  const out = new BigUint64Array(FRAMES * RING_SLOT_WORDS);
  const must = (count) => {
    if (count !== FRAMES) throw new Error(`${count} frames of ${FRAMES}`);
  };
  const times = (act) => () => {
    for (let i = 0; i < FRAMES; i++) act();
  };
  return {
    publish: times(publish),
    readInto: () => must(copying.readInto(out)),
    read: () => must(decoding.read().frames.length),
    latest: times(() => copying.latest()),
  };
}

const subjects = { js: operationsOf(jsWriter(), FrameReader) };
const { engine } = loadNativeEngine();
if (engine !== null) {
  subjects.native = operationsOf(nativeWriter(engine), frameReaderClass(nativeSlots()));
}

const nsPerFrame = {};
for (let round = -WARM_UP; round < rounds; round++) {
  for (const [kind, operations] of Object.entries(subjects)) {
    for (const [operation, act] of Object.entries(operations)) {
      const begin = process.hrtime.bigint();
      act();
      const ns = Number(process.hrtime.bigint() - begin) / FRAMES;
      nsPerFrame[kind] ??= {};
      nsPerFrame[kind][operation] ??= [];
      if (round >= 0) nsPerFrame[kind][operation].push(ns);
    }
  }
}

const figures = (values) =>
  Object.fromEntries(
    [0.1, 0.5, 0.9].map((share) => [
      `p${100 * share}`,
      Math.round(10 * percentile(values, share)) / 10,
    ]),
  );
console.log(
  JSON.stringify(
    {
      cpu: cpus()[0]?.model.trim(),
      kernel: release(),
      node: process.version,
      rounds,
      nsPerFrame: Object.fromEntries(
        Object.entries(nsPerFrame).map(([kind, operations]) => [
          kind,
          Object.fromEntries(
            Object.entries(operations).map(([operation, values]) => [operation, figures(values)]),
          ),
        ]),
      ),
    },
    null,
    2,
  ),
);
