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
/// Without a strong reference the garbage collector frees the shared memory under the writer.
struct SharedMemoryOwners {
  Napi::ObjectReference ring;
  Napi::ObjectReference budget;

  void release() {
    ring.Reset();
    budget.Reset();
  }
};

struct SampledSession {
  uint32_t id = 0;
  /// Empty once the last news was taken: every call then does nothing.
  std::shared_ptr<SampledEpisode> episode;
  SharedMemoryOwners owners;

  void release() {
    episode.reset();
    owners.release();
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

  /// The running sessions, by id.
  std::unordered_map<uint32_t, std::shared_ptr<SampledSession>> sessions;
  /// The part of the process-wide set that this environment claimed.
  std::unordered_set<std::string> claims;

  /// The process's threads; nullptr if not used yet.
  Sampler* sampler = nullptr;
  Actuator* actuator = nullptr;
};

/// Returns the process's actuator, which the environment then shares until its end. Returns nullptr
/// and sets `error_number` if the actuator's thread does not start.
Actuator* env_actuator(EnvState& state, int& error_number);

/// The cleanup hook; `state` is the EnvState. Writes the terminal frame of every episode, within
/// one second in all; afterwards no thread touches anything of the environment.
void end_environment(void* state);

// The steps of end_environment(), until the deadline (CLOCK_MONOTONIC).
void end_sampling(EnvState& state, uint64_t deadline_ns);
void end_actions(EnvState& state, uint64_t deadline_ns);
void release_claims(EnvState& state);

}  // namespace episcope
