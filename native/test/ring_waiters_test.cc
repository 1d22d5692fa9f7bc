// Who waits for the next frame: woken once, by any writer of the ring, and never forgotten.
#include "../core/ring_waiters.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "../core/ring_writer.h"
#include "check.h"
#include "episode_fixture.h"
#include "test_ring.h"

namespace episcope {
namespace {

using test::TestRing;

/// Lets a thread sleep until it is told.
class Bell final : public NewsListener {
 public:
  void news(uint32_t) override {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
};

/// A ring with its writer and the listener of one waiter.
struct Waited {
  TestRing ring{8};
  RingWriter writer;
  std::shared_ptr<RingWaiters> waiters = RingWaiters::of(ring.data());
  std::shared_ptr<test::Listener> listener = std::make_shared<test::Listener>();

  Waited() { CHECK(writer.bind(ring.data(), ring.size())); }
  bool arm(uint32_t id, uint32_t seen_head) { return waiters->arm(listener, id, seen_head); }
  void publish() {
    writer.publish({});
    waiters->wake();
  }
};

TEST(ring_waiters_are_the_same_for_everyone_while_held) {
  TestRing ring(8);
  TestRing other(8);
  auto one = RingWaiters::of(ring.data());
  CHECK(one == RingWaiters::of(ring.data()));
  CHECK(one != RingWaiters::of(other.data()));
  const std::weak_ptr<RingWaiters> gone = one;
  one.reset();
  CHECK(gone.expired());
  CHECK(RingWaiters::of(ring.data()) != nullptr);
}

TEST(ring_waiters_do_not_keep_who_is_gone) {
  Waited w;
  CHECK(w.arm(1, 0));
  const std::weak_ptr<test::Listener> gone = w.listener;
  w.listener = std::make_shared<test::Listener>();
  CHECK(gone.expired());
  CHECK(w.arm(2, 0));
  w.publish();
  CHECK_EQUAL(w.listener->told(), 1);
}

TEST(ring_waiter_is_woken_once_by_the_next_frame) {
  Waited w;
  w.publish();
  CHECK(w.arm(1, 1));
  CHECK(w.arm(2, 1));
  CHECK_EQUAL(w.listener->told(), 0);
  w.publish();
  CHECK_EQUAL(w.listener->told(), 2);
  w.publish();
  CHECK_EQUAL(w.listener->told(), 2);
  CHECK_EQUAL(w.listener.use_count(), 1);
}

TEST(ring_waiter_is_not_armed_where_there_is_something_to_read) {
  Waited w;
  w.publish();
  CHECK(!w.arm(1, 0));
  CHECK(w.arm(1, 1));
  w.publish();
  w.writer.end();
  CHECK(!w.arm(1, 2));
  w.waiters->wake();
  CHECK_EQUAL(w.listener->told(), 1);
}

TEST(ring_waiter_that_was_disarmed_is_not_called) {
  Waited w;
  const auto other = std::make_shared<test::Listener>();
  CHECK(w.arm(1, 0) && w.arm(2, 0));
  CHECK(w.waiters->arm(other, 1, 0));
  w.waiters->disarm(w.listener.get(), 1);
  w.waiters->disarm(w.listener.get(), 9);
  w.publish();
  CHECK_EQUAL(w.listener->told(), 1);
  CHECK_EQUAL(other->told(), 1);
}

TEST(ring_waiter_is_woken_by_every_act_of_an_episode) {
  TestRing ring(8);
  const auto buffer = std::make_unique<ReadBuffer>();
  auto episode = test::open_process(&ring, getpid(), buffer.get());
  const auto waiters = RingWaiters::of(ring.data());
  const auto listener = std::make_shared<test::Listener>();
  CHECK(waiters->arm(listener, 1, 0));
  episode->sample(flag::kInitial, *buffer);
  CHECK_EQUAL(listener->told(), 1);
  CHECK(waiters->arm(listener, 1, 1));
  const uint64_t given[kFrameWords] = {};
  episode->publish(given, 0);
  CHECK_EQUAL(listener->told(), 2);
  CHECK(waiters->arm(listener, 1, 2));
  episode->detach_ring();
  CHECK_EQUAL(listener->told(), 3);
  CHECK(!waiters->arm(listener, 1, 2));
}

// Who arms looks at the head after that, and who publishes looks for waiters after that: a reader
// that was forgotten would sleep for ever, and the writer wait for it. It publishes when the reader
// is about to arm.
TEST(ring_waiters_lose_no_wake) {
  constexpr uint32_t kFrames = 100'000;
  Waited w;
  std::atomic<uint32_t> seen{0};
  std::thread reader([&] {
    const auto bell = std::make_shared<Bell>();
    const auto waiters = RingWaiters::of(w.ring.data());
    for (uint32_t head = 0; head != kFrames;) {
      if (waiters->arm(bell, 1, head)) bell->wait();
      head = test::head_of(&w.ring);
      seen = head;
    }
  });
  for (uint32_t i = 1; i <= kFrames; i++) {
    w.publish();
    while (seen != i) {
    }
  }
  reader.join();
  CHECK_EQUAL(w.waiters.use_count(), 1);
}

}  // namespace
}  // namespace episcope
