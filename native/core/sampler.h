// The only sampler thread of the process. It owns the episodes of all environments until they end.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "sampled_episode.h"

namespace episcope {

class SamplerLoop;

class Sampler {
 public:
  Sampler() = default;
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// Starts the thread with all signals blocked, unless it is running. Returns 0 or an errno.
  int start();
  /// Samples the episode from now on. Thread-safe, like post(); neither waits for the thread.
  void add(std::shared_ptr<SampledEpisode> episode);
  /// Notifies the thread that the episode has requests or was detached.
  void post(std::shared_ptr<SampledEpisode> episode);
  /// Ends the thread and joins it, without ending any episode. Returns false if the thread does not
  /// end within `timeout_ns`; it then stays, and owners must detach their episodes.
  bool stop(uint64_t timeout_ns);

 private:
  std::shared_ptr<SamplerLoop> loop();

  std::mutex lifecycle_;  // held while starting and stopping
  pthread_t thread_ = {};

  std::mutex mutex_;  // guards loop_; separate, because post() must not wait for lifecycle_
  // The thread has its own reference, because a thread that could not be stopped outlives this.
  std::shared_ptr<SamplerLoop> loop_;
};

}  // namespace episcope
