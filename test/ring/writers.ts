/** The two kinds of writers: the native one wakes the readers that have the addon. */

import type { ManualEpisode } from '../../src/engine/engine.js';
import { loadNativeEngine } from '../../src/engine/native/engine.js';
import { RingWriter } from '../../src/ring/index.js';
import { RING_SLOT_WORDS } from '../../src/schema/layout.js';
import { publish, ring } from './derived-frame.js';

export type WriterKind = 'js' | 'native';

export interface TestWriter {
  readonly shared: SharedArrayBuffer;
  publish(count: number): void;
  /** One last frame, and the end. */
  finish(): void;
}

export function openWriter(kind: WriterKind, capacity: number, first = 0): TestWriter {
  return writerOf(kind, ring(capacity, first));
}

export function writerOf(kind: WriterKind, shared: SharedArrayBuffer): TestWriter {
  return kind === 'js' ? jsWriter(shared) : nativeWriter(shared);
}

function jsWriter(shared: SharedArrayBuffer): TestWriter {
  const writer = new RingWriter(shared);
  return {
    shared,
    publish: (count) => publish(writer, count),
    finish: () => {
      publish(writer, 1);
      writer.end();
    },
  };
}

function nativeWriter(shared: SharedArrayBuffer): TestWriter {
  const { engine } = loadNativeEngine();
  const episode: ManualEpisode = engine!.openEpisode({
    episodeId: 'job',
    pid: process.pid,
    ring: shared,
    tier: 'proc',
    cgroup: null,
    procRoot: '/proc',
    reaperPid: 0,
    memoryStatPeriodNs: 0n,
    budget: null,
    onExhausted: 'stop',
  });
  const words = new BigUint64Array(RING_SLOT_WORDS);
  return {
    shared,
    publish: (count) => {
      for (let i = 0; i < count; i++) episode.publish(words, 0);
    },
    finish: () => {
      episode.requestEnd();
      while (!episode.wake());
    },
  };
}
