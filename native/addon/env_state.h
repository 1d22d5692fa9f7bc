// State of one JavaScript environment (main thread or worker), and its orderly end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "../core/actuator.h"
#include "../core/kept_file.h"
#include "../core/sampled_episode.h"
#include "../core/sampler.h"
#include "env_children.h"
#include "env_events.h"
#include "node_addon_api.h"

namespace episcope {

/// An episode that this environment started and that is being sampled.
struct SampledSession {
  uint32_t id = 0;
  /// Empty once the last news were taken: every call does nothing then.
  std::shared_ptr<SampledEpisode> episode;
  /// Without a strong reference the collector frees the shared memory under the sampler.
  Napi::ObjectReference ring_owner;
  Napi::ObjectReference budget_owner;

  void release() {
    episode.reset();
    ring_owner.Reset();
    budget_owner.Reset();
  }
};

struct EnvState {
  EnvState() = default;
  EnvState(const EnvState&) = delete;
  EnvState& operator=(const EnvState&) = delete;
  ~EnvState();

  ReadBuffer buffer;
  std::shared_ptr<EnvEvents> events = std::make_shared<EnvEvents>();

  EnvChildren children;

  /// Those that run, by id.
  std::unordered_map<uint32_t, std::shared_ptr<SampledSession>> sessions;
  /// What this environment claimed, of the process-wide set.
  std::unordered_set<std::string> claims;

  /// The process's threads; nullptr: not used yet.
  Sampler* sampler = nullptr;
  Actuator* actuator = nullptr;
};

/// The process's actuator, for this environment too; nullptr, with the errno, where its thread does
/// not start.
Actuator* env_actuator(EnvState& state, int& error_number);

/// The cleanup hook; `state` is the EnvState. Every episode gets its terminal frame, for at most a
/// second in all; after that nothing of the environment is touched by any thread.
void end_environment(void* state);

// The parts of that end, until the deadline (CLOCK_MONOTONIC).
void end_sampling(EnvState& state, uint64_t deadline_ns);
void end_actions(EnvState& state, uint64_t deadline_ns);
void release_claims(EnvState& state);

}  // namespace episcope
