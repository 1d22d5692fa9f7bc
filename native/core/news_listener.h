// How the sampler reaches an environment: it says that there is news, and the environment takes it.
#pragma once

#include <cstdint>

namespace episcope {

/// Whoever started an episode, or waits for a ring's next frame. Called on the thread that has the
/// news: must neither block nor throw, and may outlive its environment (then it does nothing).
class NewsListener {
 public:
  virtual ~NewsListener() = default;
  /// `id` has news to take.
  virtual void news(uint32_t id) = 0;
};

}  // namespace episcope
