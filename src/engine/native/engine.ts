/** The native engine: readers and samplers of the addon behind the interface of `engine.ts`. */

import { PARSE_REASONS } from '../../schema/enumerations.js';
import { FRAME_WORDS } from '../../schema/layout.js';
import type {
  CgroupSpec,
  Engine,
  EpisodeSampler,
  EpisodeSpec,
  KernelText,
  ParseOutcome,
  ProcSpec,
  SampledEpisode,
  SamplerNews,
  SampleWarning,
  SamplingSpec,
  SourceReader,
} from '../engine.js';
import { KERNEL_TEXTS } from '../engine.js';
import type { ReadFailure } from '../failure.js';
import { cgroupDirectory } from '../failure-error.js';
import {
  episodeArguments,
  loadBinding,
  type NativeBinding,
  type NativeFailure,
  type NativeHandle,
  openedEpisode,
  orThrow,
  readFailure,
  sampleWarning,
} from './binding.js';
import { startNativeEpisode } from './sampler.js';

export type NativeEngineLoad =
  | { readonly engine: Engine; readonly reason: null }
  | { readonly engine: null; readonly reason: string };

let loaded: NativeEngineLoad | undefined;

export function loadNativeEngine(): NativeEngineLoad {
  if (loaded === undefined) {
    const { binding, reason } = loadBinding();
    loaded =
      binding === null
        ? { engine: null, reason }
        : { engine: new NativeEngine(binding), reason: null };
  }
  return loaded;
}

class NativeEngine implements Engine {
  readonly name = 'native';
  readonly #binding: NativeBinding;

  constructor(binding: NativeBinding) {
    this.#binding = binding;
  }

  openCgroup(spec: CgroupSpec): SourceReader {
    const b = this.#binding;
    const words = new BigUint64Array(FRAME_WORDS);
    const opened = b.openCgroup(spec.root, spec.path, spec.requireCgroupfs, words);
    const reader = orThrow(opened, { cgroupPath: cgroupDirectory(spec), procRoot: '' });
    return {
      words,
      read: (parts) => b.readCgroup(reader, parts),
      failure: (part) => failureOrNull(b.cgroupFailure(reader, part)),
      close: () => b.closeCgroup(reader),
    };
  }

  openProc(spec: ProcSpec): SourceReader {
    const b = this.#binding;
    const words = new BigUint64Array(FRAME_WORDS);
    const opened = b.openProc(spec.pid, spec.procRoot, spec.tree, spec.reaperPid, words);
    const reader = orThrow(opened, { cgroupPath: '', procRoot: spec.procRoot });
    return {
      words,
      read: (parts) => b.readProc(reader, parts),
      failure: (part) => failureOrNull(b.procFailure(reader, part)),
      close: () => b.closeProc(reader),
    };
  }

  openEpisode(spec: EpisodeSpec): EpisodeSampler {
    const opened = this.#binding.openEpisode(...episodeArguments(spec));
    return new NativeEpisode(this.#binding, openedEpisode(opened, spec));
  }

  startEpisode(spec: SamplingSpec, onNews: (news: SamplerNews) => void): SampledEpisode {
    return startNativeEpisode(spec, onNews);
  }

  parse(kind: KernelText, text: Uint8Array): ParseOutcome {
    const result = this.#binding.parse(KERNEL_TEXTS.indexOf(kind), text);
    if ('values' in result) return { ok: true, values: result.values };
    return { ok: false, offset: result.offset, reason: PARSE_REASONS[result.reason] ?? '' };
  }
}

class NativeEpisode implements EpisodeSampler {
  readonly #binding: NativeBinding;
  readonly #episode: NativeHandle;

  constructor(binding: NativeBinding, episode: NativeHandle) {
    this.#binding = binding;
    this.#episode = episode;
  }

  // Hot: one call across the border, a small integer back, nothing allocated.
  sample(flags: number): number {
    return this.#binding.sampleEpisode(this.#episode, flags);
  }

  publish(words: BigUint64Array, flags: number): number {
    return this.#binding.publishEpisode(this.#episode, words, flags);
  }

  settle(): boolean {
    return this.#binding.settleEpisode(this.#episode);
  }

  ended(): boolean {
    return this.#binding.episodeEnded(this.#episode);
  }

  takeWarnings(): SampleWarning[] {
    return this.#binding.episodeWarnings(this.#episode).map(sampleWarning);
  }

  close(): void {
    this.#binding.closeEpisode(this.#episode);
  }
}

function failureOrNull(native: NativeFailure | null): ReadFailure | null {
  return native === null ? null : readFailure(native);
}
