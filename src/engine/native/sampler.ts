/** Episodes of the addon: sampled by the process's sampler thread, or by hand. */
import type {
  Addon,
  BudgetOptions,
  DrivenEpisodeOptions,
  EpisodeOptions,
  NativeNews,
} from '../../addon/binding.js';
import { bindRing } from '../../ring/header.js';
import type {
  BudgetSpec,
  EpisodeSpec,
  ManualEpisode,
  ManualSpec,
  SampledEpisode,
  SamplerNews,
  SamplingSpec,
} from '../engine.js';
import { placeOf } from '../failure-error.js';
import { construct, errnoOf, sampleWarning } from './refusal.js';

/** Throws the codes of a failed open, `ERR_RING_…`, and `ERR_ENGINE_UNAVAILABLE` if the thread does not start. */
export function startNativeEpisode(
  addon: Addon,
  spec: SamplingSpec,
  onNews: (news: SamplerNews) => void,
): SampledEpisode {
  const { periodNs, fastPeriodNs, notifyEvery, tripwires } = spec;
  const options = {
    ...manualOptions(spec),
    periodNs,
    fastPeriodNs,
    notifyEvery,
    tripwires,
  };
  return construct(
    placeOf(spec),
    () => new addon.SampledEpisode(options, (news) => onNews(samplerNews(news))),
  );
}

/** Throws the same errors as `startNativeEpisode`. */
export function openNativeEpisode(addon: Addon, spec: ManualSpec): ManualEpisode {
  const episode = construct(placeOf(spec), () => new addon.Episode(manualOptions(spec)));
  return {
    sample: episode.sample,
    publish: episode.publish,
    requestEnd: () => episode.requestEnd(),
    wake: () => episode.wake(),
    takeNews: () => samplerNews(episode.takeNews()),
  };
}

function manualOptions(spec: ManualSpec): DrivenEpisodeOptions {
  const { onExhausted, budget, ring } = spec;
  // The deadlines and the wall time count from the start of the session.
  const startNs = bindRing(ring).shape.startMonoNs;
  return { ...episodeOptions(spec), onExhausted, startNs, budget: budget && budgetOptions(budget) };
}

/** Throws `ERR_RING_CORRUPT`, `ERR_RING_VERSION`. */
function episodeOptions(spec: EpisodeSpec): EpisodeOptions {
  bindRing(spec.ring);
  const { pid, procRoot, reaperPid, tier, cgroup, memoryStatPeriodNs } = spec;
  const ring = new Uint8Array(spec.ring);
  return { pid, procRoot, reaperPid, tier, cgroup, memoryStatPeriodNs, ring };
}

function budgetOptions(spec: BudgetSpec): BudgetOptions {
  return { ...spec, memory: new Uint8Array(spec.memory) };
}

function samplerNews({ exited, failedActions, warnings, ...same }: NativeNews): SamplerNews {
  return {
    ...same,
    failedActions: failedActions.map((failed) => ({ ...failed, errno: errnoOf(failed.errno) })),
    warnings: warnings.map(sampleWarning),
    ended: exited === null ? null : { exited, failure: null },
  };
}
