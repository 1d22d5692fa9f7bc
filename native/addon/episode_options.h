// The options that every episode has, whether its owner or the sampler drives it:
// DrivenEpisodeOptions in src/addon/binding.ts.
#pragma once

#include <memory>

#include "../core/episode.h"
#include "../core/sampled_episode.h"
#include "env_state.h"
#include "js_values.h"

namespace episcope {

struct OpenedEpisode {
  /// Open, bound to its ring and charging its budget; nullptr if open_episode() has thrown.
  std::unique_ptr<Episode> episode;
  uint64_t start_ns = 0;
  SharedMemoryOwners owners;
};

/// Also sets what `sampling` does when a limit is reached. Starts the thread that freezes and kills
/// if it is needed for that.
OpenedEpisode open_episode(const Options& options, Sampling& sampling, Napi::Env env);

}  // namespace episcope
