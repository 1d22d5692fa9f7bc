// The options that every episode has, whether its owner or the sampler drives it:
// DrivenEpisodeOptions in src/addon/binding.ts.
#pragma once

#include <memory>
#include <optional>

#include "../core/episode.h"
#include "../core/sampled_episode.h"
#include "env_state.h"
#include "js_values.h"

namespace episcope {

/// Returns the episode, open and bound to its ring, or nullptr if it has thrown.
std::unique_ptr<Episode> open_episode(const Options& options, Napi::Env env);

/// Returns false, and has thrown, if the thread that freezes and kills does not start.
bool start_actions(EnvState& state, Sampling& sampling, Napi::Env env);

/// Charges the budget of the options, if there is one, with every frame; `owner` keeps its memory
/// alive. Returns false, and has thrown, unless that memory holds a budget.
bool watch_budget(Episode& episode, const std::optional<Options>& budget, uint64_t start_ns,
                  Napi::ObjectReference& owner, Napi::Env env);

void hold(Napi::ObjectReference& owner, const View<uint8_t>& memory, Napi::Env env);

}  // namespace episcope
