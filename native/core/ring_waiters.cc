#include "ring_waiters.h"

#include <unordered_map>
#include <utility>

#include "schema.h"

namespace episcope {
namespace {

struct Registry {
  std::mutex mutex;
  std::unordered_map<const void*, std::weak_ptr<RingWaiters>> by_ring;
};

// Never destroyed: threads of other environments may still use it while the process exits.
Registry& registry() {
  static Registry& only = *new Registry;
  return only;
}

uint32_t load(const void* ring, uint32_t offset) {
  auto* bytes = const_cast<char*>(static_cast<const char*>(ring)) + offset;
  return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(bytes))
      .load(std::memory_order_acquire);
}

}  // namespace

std::shared_ptr<RingWaiters> RingWaiters::of(const void* ring) {
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  std::weak_ptr<RingWaiters>& entry = known.by_ring[ring];
  std::shared_ptr<RingWaiters> waiters = entry.lock();
  if (!waiters) {
    waiters.reset(new RingWaiters(ring));
    entry = waiters;
  }
  return waiters;
}

RingWaiters::~RingWaiters() {
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  // A new object may have been created for the address meanwhile.
  const auto entry = known.by_ring.find(ring_);
  if (entry != known.by_ring.end() && entry->second.expired()) known.by_ring.erase(entry);
}

bool RingWaiters::arm(const std::shared_ptr<NewsListener>& listener, uint32_t id,
                      uint32_t seen_head) {
  const std::lock_guard lock(mutex_);
  erase([](const Waiter& waiter) { return waiter.listener.expired(); });
  // A waiter increments the count and then reads the head; the writer stores the head and then
  // reads the count. All of these are read-modify-writes, so one of the two comes later and sees
  // what the other did: no wake is lost. (Fences would work too, but TSan does not understand
  // them.)
  count_.fetch_add(1, std::memory_order_seq_cst);
  if (!still_waiting(seen_head)) {
    count_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  waiters_.push_back({listener, id});
  return true;
}

void RingWaiters::disarm(const NewsListener* listener, uint32_t id) {
  const std::lock_guard lock(mutex_);
  erase([&](const Waiter& waiter) {
    return waiter.id == id && waiter.listener.lock().get() == listener;
  });
}

/// Requires the lock.
template <typename Gone>
void RingWaiters::erase(const Gone& gone) {
  const auto count = static_cast<uint32_t>(std::erase_if(waiters_, gone));
  count_.fetch_sub(count, std::memory_order_relaxed);
}

void RingWaiters::wake() {
  if (count_.fetch_add(0, std::memory_order_seq_cst) == 0) return;
  std::vector<Waiter> woken;
  {
    const std::lock_guard lock(mutex_);
    woken.swap(waiters_);
    count_.fetch_sub(static_cast<uint32_t>(woken.size()), std::memory_order_relaxed);
  }
  for (const Waiter& waiter : woken) {
    if (const auto listener = waiter.listener.lock()) listener->news(waiter.id);
  }
}

bool RingWaiters::still_waiting(uint32_t seen_head) const {
  return load(ring_, header::kHead) == seen_head &&
         load(ring_, header::kState) == ring_state::kOpen;
}

}  // namespace episcope
