// How the sampler notifies an environment that there is news, which the environment then takes.
#pragma once

#include <cstdint>

namespace episcope {

/// Started an episode, or waits for the next frame of a ring. It is called on the thread that has
/// the news, must neither block nor throw, and does nothing once its environment is gone.
class NewsListener {
 public:
  virtual ~NewsListener() = default;
  /// There is news to take for `id`.
  virtual void news(uint32_t id) = 0;
};

}  // namespace episcope
