/** Episodes of the addon: sampled by the process's sampler thread, or by hand. */
import type {
  Addon,
  BudgetOptions,
  DrivenEpisodeOptions,
  NativeNews,
} from '../../addon/binding.js';
import { bindRing } from '../../ring/header.js';
import type {
  BudgetSpec,
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
  const options = { ...drivenOptions(spec), periodNs, fastPeriodNs, notifyEvery, tripwires };
  return construct(
    placeOf(spec),
    () => new addon.SampledEpisode(options, (news) => onNews(samplerNews(news))),
  );
}

/** Throws the same errors as `startNativeEpisode`. */
export function openNativeEpisode(addon: Addon, spec: ManualSpec): ManualEpisode {
  const episode = construct(placeOf(spec), () => new addon.Episode(drivenOptions(spec)));
  return {
    sample: episode.sample,
    publish: episode.publish,
    requestEnd: () => episode.requestEnd(),
    wake: () => episode.wake(),
    takeNews: () => samplerNews(episode.takeNews()),
  };
}

/** Throws `ERR_RING_CORRUPT`, `ERR_RING_VERSION`. */
function drivenOptions(spec: ManualSpec): DrivenEpisodeOptions {
  const { pid, procRoot, reaperPid, tier, cgroup, memoryStatPeriodNs, onExhausted } = spec;
  return {
    ...{ pid, procRoot, reaperPid, tier, cgroup, memoryStatPeriodNs, onExhausted },
    ring: new Uint8Array(spec.ring),
    // The deadlines and the wall time count from the start of the session.
    startNs: bindRing(spec.ring).shape.startMonoNs,
    budget: spec.budget && budgetOptions(spec.budget),
  };
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
