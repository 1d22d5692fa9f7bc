// How an episode is opened for any sampler: EpisodeOptions in src/addon/binding.ts.
#pragma once

#include <memory>

#include "../core/episode.h"
#include "js_values.h"

namespace episcope {

/// The episode, open and bound to its ring; nullptr where it has thrown why not.
std::unique_ptr<Episode> open_episode(const Options& options, Napi::Env env);

}  // namespace episcope
