/** The native engine: readers and samplers of the addon behind the interface of `engine.ts`. */

import type { Addon, NativeReader } from '../../addon/binding.js';
import { loadAddon } from '../../addon/load.js';
import { FRAME_WORDS } from '../../schema/layout.js';
import type {
  CgroupSpec,
  Engine,
  ManualEpisode,
  ManualSpec,
  ProcSpec,
  SampledEpisode,
  SamplerNews,
  SamplingSpec,
  SourceReader,
} from '../engine.js';
import { cgroupDirectory } from '../failure-error.js';
import { construct, readFailure } from './refusal.js';
import { openNativeEpisode, startNativeEpisode } from './sampler.js';

export type NativeEngineLoad =
  | { readonly engine: Engine; readonly reason: null }
  | { readonly engine: null; readonly reason: string };

let loaded: NativeEngineLoad | undefined;

export function loadNativeEngine(): NativeEngineLoad {
  if (loaded === undefined) {
    const { addon, reason } = loadAddon();
    loaded =
      addon === null ? { engine: null, reason } : { engine: new NativeEngine(addon), reason: null };
  }
  return loaded;
}

class NativeEngine implements Engine {
  readonly name = 'native';
  readonly #addon: Addon;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  openCgroup(spec: CgroupSpec): SourceReader {
    const words = new BigUint64Array(FRAME_WORDS);
    const { root, path, requireCgroupfs } = spec;
    const place = { cgroupPath: cgroupDirectory(spec), procRoot: '' };
    const options = { root, path, requireCgroupfs, words };
    return sourceReader(
      construct(place, () => new this.#addon.CgroupReader(options)),
      words,
    );
  }

  openProc(spec: ProcSpec): SourceReader {
    const words = new BigUint64Array(FRAME_WORDS);
    const { pid, procRoot, tree, reaperPid } = spec;
    const options = { pid, procRoot, tree, reaperPid, words };
    return sourceReader(
      construct({ cgroupPath: '', procRoot }, () => new this.#addon.ProcReader(options)),
      words,
    );
  }

  openEpisode(spec: ManualSpec): ManualEpisode {
    return openNativeEpisode(this.#addon, spec);
  }

  startEpisode(spec: SamplingSpec, onNews: (news: SamplerNews) => void): SampledEpisode {
    return startNativeEpisode(this.#addon, spec, onNews);
  }
}

function sourceReader(reader: NativeReader, words: BigUint64Array): SourceReader {
  return {
    words,
    // Hot, and bound to its reader: one call into the addon, which returns a small integer and allocates nothing.
    read: reader.read,
    failure: (part) => {
      const failure = reader.failure(part);
      return failure && readFailure(failure);
    },
    close: () => reader.close(),
  };
}
