// What the options of an episode have in common, whoever drives it: DrivenEpisodeOptions in
// src/addon/binding.ts.
#pragma once

#include <memory>
#include <optional>

#include "../core/episode.h"
#include "../core/sampled_episode.h"
#include "env_state.h"
#include "js_values.h"

namespace episcope {

/// The episode, open and bound to its ring; nullptr where it has thrown why not.
std::unique_ptr<Episode> open_episode(const Options& options, Napi::Env env);

/// Returns false, and has thrown, where the thread that freezes and kills does not start.
bool start_actions(EnvState& state, Sampling& sampling, Napi::Env env);

/// The budget of the options, if there is one, is charged with every frame; `owner` keeps its
/// memory. Returns false, and has thrown, unless that memory holds a budget.
bool watch_budget(Episode& episode, const std::optional<Options>& budget, uint64_t start_ns,
                  Napi::ObjectReference& owner, Napi::Env env);

void hold(Napi::ObjectReference& owner, const View<uint8_t>& memory, Napi::Env env);

}  // namespace episcope
