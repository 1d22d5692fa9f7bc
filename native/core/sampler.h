// The one sampler thread of the process. Episodes of every environment are its own until they end.
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

  /// Starts the thread, all signals blocked; nothing where it runs already. 0 or an errno.
  int start();
  /// The episode is sampled from now on. Thread-safe, like post(); neither waits for the thread.
  void add(std::shared_ptr<SampledEpisode> episode);
  /// The episode has requests, or was detached.
  void post(std::shared_ptr<SampledEpisode> episode);
  /// Ends the thread and joins it; false when it did not end within `timeout_ns` (it stays then,
  /// with every episode to be detached by its owner). It ends no episode.
  bool stop(uint64_t timeout_ns);

 private:
  std::shared_ptr<SamplerLoop> loop();

  std::mutex lifecycle_;  // of starting and stopping
  pthread_t thread_ = {};

  std::mutex mutex_;  // of loop_, which post() must not wait for
  // The thread has a reference of its own: a thread that could not be stopped outlives this.
  std::shared_ptr<SamplerLoop> loop_;
};

}  // namespace episcope
