/** An episode in the hands of an engine's sampler, as its owner sees it: the raw ring and the news. */

import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type {
  Engine,
  SampledEpisode,
  SamplerNews,
  SamplingSpec,
  TripwireSpec,
} from '../../src/engine/engine.js';
import { createRing } from '../../src/ring/index.js';
import { openAtomicSlots } from '../../src/ring/slot-reader.js';
import {
  FRAME_WORDS,
  FrameWord,
  RING_SLOT_WORDS,
  RingHeader,
  RingState,
} from '../../src/schema/layout.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';
import { until } from './child.js';

const NS_PER_MS = 1_000_000n;

interface Options extends Partial<Omit<SamplingSpec, 'ring' | 'periodNs' | 'fastPeriodNs'>> {
  readonly periodMs?: number;
  readonly fastPeriodMs?: number;
  readonly capacity?: number;
  /** How long before now the session began. */
  readonly startedMsAgo?: number;
}

/** One slot of the ring. */
export interface Slot {
  readonly seq: number;
  readonly tsMono: bigint;
  readonly flags: number;
  readonly meta: number;
  readonly words: BigUint64Array;
}

export function slotOf(words: BigUint64Array): Slot {
  const meta = Number(words[FrameWord.META]);
  const [seq, tsMono] = [Number(words[FrameWord.SEQ]), words[FrameWord.TS_MONO]!];
  return { seq, tsMono, flags: meta & 0x1f, meta, words };
}

/** A cgroup that changes while it is read: no read sees half a file. */
export class LiveCgroup extends FixtureCgroup {
  get spec(): NonNullable<SamplingSpec['cgroup']> {
    const { root, path } = this;
    return { root, path: path.slice(root.length + 1), requireCgroupfs: false };
  }

  override write(name: string, text: string | Uint8Array): void {
    super.write(`${name}.new`, text);
    renameSync(join(this.path, `${name}.new`), join(this.path, name));
  }
}

export function speedUpAndNotify(metric: TripwireSpec['metric'], threshold: bigint): TripwireSpec {
  return { metric, threshold, release: threshold, actions: 3 };
}

export class Sampling {
  readonly ring: SharedArrayBuffer;
  readonly startMonoNs: bigint;
  readonly spec: SamplingSpec;
  readonly episode: SampledEpisode;
  readonly news: SamplerNews[] = [];
  /** What was there when `startEpisode` returned. */
  readonly atStart: Slot[];
  readonly #header: Uint32Array;

  /** Throws what `startEpisode` throws. Samples this process, every 5 ms, unless told otherwise. */
  constructor(engine: Engine, options: Options = {}) {
    const {
      periodMs = 5,
      fastPeriodMs = 1,
      capacity = 65_536,
      startedMsAgo = 0,
      ...rest
    } = options;
    const pid = rest.pid ?? process.pid;
    const episodeId = 'sampled';
    const startMonoNs = process.hrtime.bigint() - BigInt(startedMsAgo) * NS_PER_MS;
    this.startMonoNs = startMonoNs;
    this.ring = createRing({ episodeId, pid, startMonoNs, capacity, samplePeriodMs: periodMs });
    this.#header = new Uint32Array(this.ring, 0, 64);
    this.spec = {
      episodeId,
      pid,
      ring: this.ring,
      tier: 'auto',
      cgroup: null,
      procRoot: '/proc',
      reaperPid: 0,
      memoryStatPeriodNs: 0n,
      periodNs: BigInt(periodMs) * NS_PER_MS,
      fastPeriodNs: BigInt(fastPeriodMs) * NS_PER_MS,
      tripwires: [],
      budget: null,
      onExhausted: 'stop',
      notifyEvery: 0,
      ...rest,
    };
    this.episode = engine.startEpisode(this.spec, (news) => this.news.push(news));
    this.atStart = this.slots();
  }

  header(byte: (typeof RingHeader)[keyof typeof RingHeader]): number {
    return Atomics.load(this.#header, byte / 4);
  }

  /** Frames published so far. */
  get head(): number {
    return this.header(RingHeader.HEAD);
  }

  get ringEnded(): boolean {
    return this.header(RingHeader.STATE) === RingState.ENDED;
  }

  /** What the ring holds, oldest first. */
  slots(): Slot[] {
    const source = openAtomicSlots(this.ring);
    const copies = new BigUint64Array(source.available * RING_SLOT_WORDS);
    const count = source.copyNext(new Uint32Array(copies.buffer), source.available);
    return Array.from({ length: count }, (_, i) =>
      slotOf(copies.slice(i * RING_SLOT_WORDS, i * RING_SLOT_WORDS + FRAME_WORDS)),
    );
  }

  get ended(): SamplerNews['ended'] {
    return this.news.at(-1)?.ended ?? null;
  }

  get replies(): SamplerNews['replies'] {
    return this.news.flatMap(({ replies }) => replies);
  }

  get trips(): SamplerNews['trips'] {
    return this.news.flatMap(({ trips }) => trips);
  }

  /** Waits for the end, which somebody else brings about. */
  async over(): Promise<void> {
    await until(() => this.ended !== null);
  }

  async end(): Promise<void> {
    this.episode.requestEnd();
    await this.over();
  }
}

/** Blocks this thread's event loop until the condition holds; the test's own time limit cannot end it. */
export function block(condition: () => boolean): void {
  const limit = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error('nothing happens while the loop is blocked');
  }
}
