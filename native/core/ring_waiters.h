// Who waits for the next frame of a ring, in whatever thread and environment: the writer wakes them
// after it published. A ring is known by its address, which is the same in every thread.
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
  /// The waiters of the ring at this address; the same object for everyone while anyone holds it.
  static std::shared_ptr<RingWaiters> of(const void* ring);
  RingWaiters(const RingWaiters&) = delete;
  RingWaiters& operator=(const RingWaiters&) = delete;
  ~RingWaiters();

  /// Has `listener->news(id)` called once, after the next frame or the end. False, and nothing is
  /// armed, when the ring's head is not `seen_head` any more, or the ring has ended. The caller
  /// keeps the ring's memory, of at least a header, during the call.
  bool arm(const std::shared_ptr<NewsListener>& listener, uint32_t id, uint32_t seen_head);
  void disarm(const NewsListener* listener, uint32_t id);

  /// The writer, after it published or ended. Costs one look at a counter when nobody waits.
  void wake();

 private:
  struct Waiter {
    // An environment that ended never disarmed, and the next frame may be long in coming.
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
  std::atomic<uint32_t> count_{0};  // as many as waiters_, for the writer
};

}  // namespace episcope
