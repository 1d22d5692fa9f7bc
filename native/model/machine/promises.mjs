// The promises of a reader, checked in every execution. Throws a Violation if one is broken.
import { explore, WriterLog } from './memory.mjs';

/** Number of u32 words of a slot, and of the frame in it, in the small layout of the subjects. */
export const SLOT_HALVES = 16;
export const FRAME_HALVES = 8;
const SEQ = 2;
const FIRST_DATA = 4;
const UNTOUCHED = 0xa5a5a5a5;

/** The expected value of half `half` of a frame. */
export const derived = (seq, half) => 16 * (seq + 1) + half;

export class Violation extends Error {}

function promise(kept, what) {
  if (!kept) throw new Violation(what);
}

/** Accounts for the frames that one reader has returned. */
class Account {
  #reader;
  #out = new Uint32Array(2 * SLOT_HALVES).fill(UNTOUCHED);
  #next = 0;
  returned = 0;

  constructor(reader) {
    this.#reader = reader;
  }

  get total() {
    return this.returned + this.#reader.missed;
  }

  /** Reads at most `max` frames and returns their number. */
  read(max) {
    const before = this.total;
    const missed = this.#reader.missed;
    const copied = this.#reader.copyNext(this.#out, max);
    for (let frame = 0; frame < copied; frame++) {
      const seq = this.#frame(frame);
      promise(seq >= this.#next, `seq ${seq} after ${this.#next - 1}`);
      this.#next = seq + 1;
    }
    this.returned += copied;
    promise(this.#next <= this.total, 'a frame that was neither returned nor missed');
    if (this.#reader.missed === missed && copied > 0) {
      promise(this.#next === before + copied, 'a gap that was not reported');
    }
    return copied;
  }

  /** Returns the seq of the newest frame, or -1. */
  latest() {
    return this.#reader.copyLatest(this.#out) ? this.#frame(0) : -1;
  }

  #frame(frame) {
    const at = frame * SLOT_HALVES;
    const seq = this.#out[at + SEQ];
    for (let half = FIRST_DATA; half < FRAME_HALVES; half++) {
      promise(this.#out[at + half] === derived(seq, half), `a torn frame: seq ${seq}`);
    }
    for (let half = FRAME_HALVES; half < SLOT_HALVES; half++) {
      promise(this.#out[at + half] === UNTOUCHED, 'a word that no metric uses was copied out');
    }
    return seq;
  }
}

const honest = (reader) => promise(!reader.corrupt, 'a valid ring was called corrupt');

/**
 * The scenes: what a reader does while the writer publishes `frames`. With `hearsay`, the head only tells the reader
 * where to read and does not synchronize, like a corrupt head.
 */
export const SCENES = [
  {
    name: 'follow',
    ring: { capacity: 2, first: 2 ** 32 - 2 },
    act(view, open, frames) {
      const reader = view.before(open);
      const account = new Account(reader);
      account.read(2);
      account.read(2);
      honest(reader);
      view.join();
      while (account.read(2) > 0);
      honest(reader);
      promise(account.total === frames, 'returned + missed is not what was written');
    },
  },
  {
    name: 'follow, one frame held',
    ring: { capacity: 1, first: 2 ** 31 - 2 },
    act(view, open, frames) {
      const reader = view.before(open);
      const account = new Account(reader);
      for (let i = 0; i < 2; i++) account.read(1);
      honest(reader);
      view.join();
      while (account.read(1) > 0);
      promise(account.total === frames, 'returned + missed is not what was written');
    },
  },
  {
    name: 'to the end',
    ring: { capacity: 2, first: 0 },
    act(view, open, frames) {
      const reader = view.before(open);
      const account = new Account(reader);
      account.read(2);
      if (!reader.ended) return;
      while (account.read(2) > 0);
      honest(reader);
      promise(account.total === frames, 'frames were lost at the end');
    },
  },
  {
    name: 'latest',
    ring: { capacity: 2, first: 2 ** 32 - 2 },
    act(view, open) {
      const reader = view.before(open);
      const account = new Account(reader);
      const seq = account.latest();
      promise(account.latest() >= seq, 'the newest frame became an older one');
      honest(reader);
    },
  },
  {
    name: 'bind',
    ring: { capacity: 2, first: 2 ** 32 - 2 },
    act(_view, open) {
      const reader = open();
      honest(reader);
      promise(reader.missed === 0, 'it missed frames before it read');
    },
  },
  {
    name: 'the stamps alone',
    ring: { capacity: 2, first: 0 },
    hearsay: true,
    act(view, open) {
      const reader = view.before(open);
      const account = new Account(reader);
      account.read(2);
      if (!reader.corrupt) account.read(2);
    },
  },
];

/** Indices into the u32 words of a ring. */
const HEAD = 192 / 4;
const FIRST_SLOT = 256 / 4;

/** Checks that no word beyond those of a frame was stored or loaded in any slot. */
function onlyWordsOfFrames(log) {
  const unused = log.touched.find(
    (cell) => cell >= FIRST_SLOT && (cell - FIRST_SLOT) % SLOT_HALVES >= FRAME_HALVES,
  );
  promise(unused === undefined, 'a word that no metric uses was touched');
}

/** Runs the scene with a reader in every execution and returns their number. Throws a Violation. */
export function play(scene, frames, ringOf, writer, reader) {
  const memory = ringOf(scene.ring);
  const log = new WriterLog(new Uint32Array(memory));
  writer.publish(memory, log, frames);
  onlyWordsOfFrames(log);
  return explore(log, scene.hearsay ? HEAD : null, (view) => {
    scene.act(view, () => reader.open(memory, view), frames);
    onlyWordsOfFrames(log);
  });
}
