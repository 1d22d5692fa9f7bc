// The waiters for the next frame of a ring, in any thread and environment. The writer wakes them
// after it has published. A ring is identified by its address, which is the same in every thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "news_listener.h"

namespace episcope {

class RingWaiters {
 public:
  /// Returns the waiters of the ring at this address. All holders share one object.
  static std::shared_ptr<RingWaiters> of(const void* ring);
  RingWaiters(const RingWaiters&) = delete;
  RingWaiters& operator=(const RingWaiters&) = delete;
  ~RingWaiters();

  /// Calls `listener->news(id)` once, after the next frame or the end of the ring. Returns false
  /// and arms nothing if the head differs from `seen_head` or the ring has ended. The memory of the
  /// ring's header must stay valid during the call.
  bool arm(const std::shared_ptr<NewsListener>& listener, uint32_t id, uint32_t seen_head);
  void disarm(const NewsListener* listener, uint32_t id);

  /// Called by the writer after it has published a frame or ended the ring. Without waiters it only
  /// reads a counter.
  void wake();

 private:
  struct Waiter {
    // Weak, because an environment that ended did not disarm, and the next frame may be far off.
    std::weak_ptr<NewsListener> listener;
    uint32_t id = 0;
  };

  explicit RingWaiters(const void* ring) : ring_(ring) {}
  bool still_waiting(uint32_t seen_head) const;
  template <typename Gone>
  void erase(const Gone& gone);

  const void* ring_;
  std::mutex mutex_;
  std::vector<Waiter> waiters_;
  std::atomic<uint32_t> count_{0};  // size of waiters_, for the writer
};

}  // namespace episcope
