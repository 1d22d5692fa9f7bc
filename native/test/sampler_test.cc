// The sampler thread: one for everybody, at the end at once, and gone without a trace.
#include "../core/sampler.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "child.h"
#include "episode_fixture.h"
#include "leaf.h"
#include "wait.h"

namespace episcope {
namespace {

using test::Child;
using test::has_flag;
using test::Leaf;
using test::TestRing;
using test::wait_until;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecond = 1000 * kMs;
constexpr uint64_t kNever = 3600 * kSecond;

void for_each_name(const char* directory, const std::function<void(const std::string&)>& visit) {
  DIR* entries = opendir(directory);
  if (!CHECK(entries != nullptr)) return;
  while (const dirent* entry = readdir(entries)) {
    if (entry->d_name[0] != '.') visit(entry->d_name);
  }
  closedir(entries);
}

size_t open_descriptors() {
  size_t count = 0;
  for_each_name("/proc/self/fd", [&](const std::string&) { count++; });
  return count;
}

/// /proc/self/task/<tid> of the threads with the sampler's name.
std::vector<std::string> sampler_threads() {
  std::vector<std::string> found;
  for_each_name("/proc/self/task", [&](const std::string& tid) {
    const std::string path = "/proc/self/task/" + tid;
    std::ifstream comm(path + "/comm");
    std::string name;
    if (std::getline(comm, name) && name == "episcope") found.push_back(path);
  });
  return found;
}

std::string status_of(const std::string& task, const std::string& key) {
  std::ifstream status(task + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key + ":\t", 0) == 0) return line.substr(key.size() + 2);
  }
  return {};
}

/// The thread sleeps each time it is looked at: it is not woken again and again.
bool comes_to_rest() {
  const std::vector<std::string> threads = sampler_threads();
  if (!CHECK_EQUAL(threads.size(), 1)) return false;
  int asleep = 0;
  return wait_until([&] {
    asleep = status_of(threads[0], "State")[0] == 'S' ? asleep + 1 : 0;
    return asleep >= 50;
  });
}

/// A sampler that is stopped at the end, and what it is used with.
struct Running {
  Sampler sampler;
  std::unique_ptr<ReadBuffer> buffer = std::make_unique<ReadBuffer>();
  std::shared_ptr<test::Listener> listener = std::make_shared<test::Listener>();

  Running() { CHECK_EQUAL(sampler.start(), 0); }
  ~Running() { CHECK(sampler.stop(30 * kSecond)); }

  std::shared_ptr<SampledEpisode> add(std::unique_ptr<Episode> episode, uint64_t period_ns,
                                      uint64_t anchor_ns = monotonic_ns()) {
    auto sampled = std::make_shared<SampledEpisode>(
        std::move(episode), Sampling{period_ns, period_ns, 0, {}}, anchor_ns, 1, listener, *buffer);
    sampler.add(sampled);
    return sampled;
  }
  std::shared_ptr<SampledEpisode> add_process(TestRing* ring, int pid, uint64_t period_ns) {
    return add(test::open_process(ring, pid, buffer.get()), period_ns);
  }
  std::shared_ptr<SampledEpisode> add_leaf(TestRing* ring, const Leaf& leaf, int pid,
                                           uint64_t period_ns) {
    return add(test::open_episode(ring, leaf.mount().c_str(), leaf.name().c_str(), true, pid,
                                  buffer.get()),
               period_ns);
  }
  /// The thread has served what was asked before.
  void answer(const std::shared_ptr<SampledEpisode>& episode) {
    episode->request_frame(1, 0);
    sampler.post(episode);
    CHECK(wait_until([&] { return !episode->take_news().replies.empty(); }));
  }
};

void check_whole_session(TestRing* ring) {
  const auto frames = test::frames_of(ring);
  CHECK(test::ended(ring));
  if (!CHECK(frames.size() >= 2)) return;
  for (size_t i = 0; i < frames.size(); i++) {
    CHECK(has_flag(frames[i], flag::kInitial) == (i == 0));
    CHECK(has_flag(frames[i], flag::kTerminal) == (i + 1 == frames.size()));
  }
}

TEST(sampler_is_one_thread_for_all_episodes) {
  constexpr size_t kEpisodes = 40;
  Running r;
  std::vector<std::unique_ptr<TestRing>> rings;
  std::vector<std::shared_ptr<SampledEpisode>> episodes;
  for (size_t i = 0; i < kEpisodes; i++) {
    rings.push_back(std::make_unique<TestRing>(64));
    episodes.push_back(r.add_process(rings.back().get(), getpid(), (5 + i % 7) * kMs));
  }
  for (const auto& ring : rings) {
    CHECK(wait_until([&] { return test::head_of(ring.get()) >= 5; }));
  }
  CHECK_EQUAL(sampler_threads().size(), 1);
  for (const auto& episode : episodes) {
    episode->request_end();
    r.sampler.post(episode);
  }
  for (size_t i = 0; i < kEpisodes; i++) {
    CHECK(wait_until([&] { return episodes[i]->over(); }));
    CHECK(test::ended(rings[i].get()));
    CHECK(!episodes[i]->take_news().exited);
  }
  CHECK(comes_to_rest());
}

TEST(sampler_thread_takes_no_signal_and_ends_with_stop) {
  auto r = std::make_unique<Running>();
  CHECK_EQUAL(r->sampler.start(), 0);
  CHECK(wait_until([] { return sampler_threads().size() == 1; }));
  // All but SIGKILL and SIGSTOP, and the two that glibc keeps for itself.
  const std::string blocked = status_of(sampler_threads()[0], "SigBlk");
  CHECK_EQUAL(std::stoull(blocked, nullptr, 16) | 0x1'8000'0000, 0xffff'ffff'fffb'feff);
  CHECK(status_of("/proc/thread-self", "SigBlk") == "0000000000000000");
  CHECK(r->sampler.stop(30 * kSecond));
  CHECK(sampler_threads().empty());
  CHECK(r->sampler.stop(0));
  CHECK_EQUAL(r->sampler.start(), 0);
  r.reset();
  CHECK(sampler_threads().empty());
}

TEST(sampler_serves_deadlines_on_the_grid_of_the_anchor) {
  constexpr uint64_t kPeriod = 4 * kMs;
  Running r;
  TestRing ring(256);
  const uint64_t anchor = monotonic_ns();
  const auto episode = r.add(test::open_process(&ring, getpid(), r.buffer.get()), kPeriod, anchor);
  CHECK(wait_until([&] { return test::head_of(&ring) >= 50; }));
  episode->request_end();
  r.sampler.post(episode);
  CHECK(wait_until([&] { return episode->over(); }));
  const auto frames = test::frames_of(&ring);
  // However late one was, each deadline was served or missed, and none was made up for.
  const auto deadlines_at = [&](const FrameWords& frame) {
    return (frame.words[word::kTsMono] - anchor) / kPeriod;
  };
  const uint64_t accounted = frames.size() - 2 + test::deadlines_missed(&ring);
  CHECK(accounted >= deadlines_at(frames[frames.size() - 2]));
  CHECK(accounted <= deadlines_at(frames.back()) + 1);
}

TEST(sampler_sees_the_exit_of_a_process_at_once) {
  Running r;
  TestRing ring(8);
  Child child([](Child& self) { return self.hear(); });
  const auto episode = r.add_process(&ring, child.pid(), kNever);
  child.tell();
  // The next deadline is an hour away.
  CHECK(wait_until([&] { return episode->over(); }));
  CHECK(wait_until([&] { return r.listener->told() > 0; }));
  CHECK_EQUAL(r.listener->told(), 1);
  const News news = episode->take_news();
  CHECK(news.ended && news.exited);
  check_whole_session(&ring);
  CHECK_EQUAL(test::head_of(&ring), 2);
  child.reap();
}

TEST(sampler_sees_the_end_of_those_that_outlive_the_root_by_cgroup_events) {
  Leaf leaf;
  if (!leaf) return;
  Running r;
  TestRing ring(8);
  Child survivor([](Child& self) { return self.hear(); });
  Child root([](Child& self) { return self.hear(); });
  CHECK(leaf.put("cgroup.procs", std::to_string(survivor.pid())));
  CHECK(leaf.put("cgroup.procs", std::to_string(root.pid())));
  const auto episode = r.add_leaf(&ring, leaf, root.pid(), kNever);
  root.tell();
  root.reap();
  r.answer(episode);
  CHECK(!episode->over());
  // The pidfd stays readable.
  CHECK(comes_to_rest());
  survivor.tell();
  survivor.reap();
  CHECK(wait_until([&] { return episode->over(); }));
  CHECK(episode->take_news().exited);
  check_whole_session(&ring);
}

uint64_t cpu_stat_ns(const Leaf& leaf) {
  std::ifstream stat(leaf.path() + "/cpu.stat");
  std::string key;
  uint64_t us = 0;
  stat >> key >> us;
  CHECK(key == "usage_usec");
  return us * 1000;
}

TEST(sampler_loses_nothing_of_a_child_of_five_milliseconds) {
  Leaf leaf;
  if (!leaf) return;
  Running r;
  TestRing ring(64);
  Child child([](Child& self) {
    self.hear();
    test::burn_cpu(5 * kMs);
    return 0;
  });
  CHECK(leaf.put("cgroup.procs", std::to_string(child.pid())));
  const auto episode = r.add_leaf(&ring, leaf, child.pid(), kSecond);
  child.tell();
  CHECK(wait_until([&] { return episode->over(); }));
  check_whole_session(&ring);
  const auto frames = test::frames_of(&ring);
  CHECK(frames.back().words[word::kCpuNs] >= 5 * kMs);
  CHECK_EQUAL(frames.back().words[word::kCpuNs], cpu_stat_ns(leaf));
  const uint32_t quality = frames.back().words[word::kMeta] >> meta_shift::kQualityCpu & 0xf;
  CHECK_EQUAL(quality, quality::kFinal);
  child.reap();
}

TEST(sampler_rests_when_the_cgroup_of_a_living_process_is_removed) {
  Leaf leaf;
  if (!leaf) return;
  Running r;
  TestRing ring(8);
  const auto episode = r.add_leaf(&ring, leaf, getpid(), kNever);
  r.answer(episode);
  CHECK(episode->events_fd() >= 0);
  // The thread alone may look there; what it does from here on comes after that look.
  r.answer(episode);
  leaf.remove();
  CHECK(!leaf);
  CHECK(comes_to_rest());
  r.answer(episode);
  CHECK_EQUAL(episode->events_fd(), -1);
  CHECK(!episode->over());
}

TEST(sampler_rests_between_two_changes_of_a_living_cgroup) {
  Leaf leaf;
  if (!leaf) return;
  Running r;
  TestRing ring(8);
  const auto episode = r.add_leaf(&ring, leaf, getpid(), kNever);
  for (int i = 0; i < 3; i++) {
    Child child([](Child& self) { return self.hear(); });
    CHECK(leaf.put("cgroup.procs", std::to_string(child.pid())));
    child.tell();
    child.reap();
    CHECK(comes_to_rest());
  }
  CHECK(!episode->over());
}

TEST(sampler_keeps_no_descriptor_of_an_episode_that_ended) {
  Running r;
  TestRing first(8);
  const auto warm = r.add_process(&first, getpid(), kNever);
  r.answer(warm);
  const size_t before = open_descriptors();
  const int kept = DescriptorBudget::kept();
  for (int i = 0; i < 30; i++) {
    TestRing ring(8);
    Child child([](Child& self) { return self.hear(); });
    const auto episode = r.add_process(&ring, child.pid(), 2 * kMs);
    if (i % 3 == 0) {
      child.kill();
    } else if (i % 3 == 1) {
      episode->request_end();
      r.sampler.post(episode);
    } else {
      episode->detach();
      r.sampler.post(episode);
    }
    CHECK(wait_until([&] { return episode->over(); }));
    // The thread has let go of it.
    CHECK(wait_until([&] { return episode.use_count() == 1; }));
    // Its owner may hold it for long.
    CHECK_EQUAL(DescriptorBudget::kept(), kept);
  }
  CHECK_EQUAL(open_descriptors(), before);
}

TEST(sampler_writes_nothing_to_a_ring_that_was_detached) {
  Running r;
  for (int i = 0; i < 30; i++) {
    auto ring = std::make_unique<TestRing>(8);
    const auto episode = r.add_process(ring.get(), getpid(), kMs);
    CHECK(wait_until([&] { return test::head_of(ring.get()) > 1; }));
    episode->detach();
    CHECK(test::ended(ring.get()));
    // What is written after this is found by the address sanitizer.
    ring.reset();
    r.sampler.post(episode);
    CHECK(wait_until([&] { return episode.use_count() == 1; }));
  }
}

/// Keeps the sampler thread busy until it is let go.
class Stall final : public NewsListener {
 public:
  void news(uint32_t) override {
    stalled_ = true;
    while (!let_go_) std::this_thread::yield();
  }
  bool stalled() const { return stalled_; }
  void let_go() { let_go_ = true; }

 private:
  std::atomic<bool> stalled_{false};
  std::atomic<bool> let_go_{false};
};

TEST(sampler_that_is_stuck_is_not_waited_for) {
  const auto stall = std::make_shared<Stall>();
  TestRing ring(8);
  const auto buffer = std::make_unique<ReadBuffer>();
  Sampler sampler;
  CHECK_EQUAL(sampler.start(), 0);
  const auto episode = std::make_shared<SampledEpisode>(
      test::open_process(&ring, getpid(), buffer.get()), Sampling{kMs, kMs, 1, {}}, monotonic_ns(),
      1, stall, *buffer);
  sampler.add(episode);
  CHECK(wait_until([&] { return stall->stalled(); }));
  // Nobody waits for it: not who posts, not who detaches, and who stops it not for ever.
  sampler.post(episode);
  episode->detach();
  CHECK(test::ended(&ring));
  CHECK(!sampler.stop(kMs));
  stall->let_go();
  CHECK(sampler.stop(30 * kSecond));
}

/// A sampler whose thread stands still until it is let go, and what it is given meanwhile.
struct Stalled : Running {
  TestRing stalling_ring{8};
  std::shared_ptr<Stall> stall = std::make_shared<Stall>();

  Stalled() {
    sampler.add(std::make_shared<SampledEpisode>(
        test::open_process(&stalling_ring, getpid(), buffer.get()), Sampling{kNever, kNever, 1, {}},
        monotonic_ns(), 1, stall, *buffer));
    CHECK(wait_until([&] { return stall->stalled(); }));
  }
  ~Stalled() { stall->let_go(); }
};

TEST(sampler_queue_holds_an_episode_once) {
  Stalled s;
  TestRing ring(8);
  const auto episode = s.add_process(&ring, getpid(), kNever);
  for (int i = 0; i < 1000; i++) s.sampler.post(episode);
  CHECK_EQUAL(episode.use_count(), 2);
  s.stall->let_go();
  s.answer(episode);
}

TEST(sampler_serves_others_between_the_frames_that_one_asks_for) {
  constexpr uint32_t kRequests = 500;
  TestRing many(1024);
  TestRing one(8);
  Stalled s;
  const auto asks_many = s.add_process(&many, getpid(), kNever);
  const auto asks_one = s.add_process(&one, getpid(), kNever);
  for (uint32_t i = 0; i < kRequests; i++) {
    asks_many->request_frame(i, 0);
    s.sampler.post(asks_many);
  }
  asks_one->request_frame(1, 0);
  s.sampler.post(asks_one);
  s.stall->let_go();
  CHECK(wait_until(
      [&] { return test::head_of(&many) == kRequests + 1 && test::head_of(&one) == 2; }));
  CHECK(test::frames_of(&one)[1].words[word::kTsMono] <
        test::frames_of(&many)[kRequests].words[word::kTsMono]);
}

TEST(sampler_keeps_a_short_period_while_many_long_ones_are_due) {
  constexpr size_t kMany = 300;
  std::vector<std::unique_ptr<TestRing>> rings;
  TestRing short_ring(1024);
  Stalled s;
  const uint64_t anchor = monotonic_ns();
  std::vector<std::shared_ptr<SampledEpisode>> many;
  for (size_t i = 0; i < kMany; i++) {
    rings.push_back(std::make_unique<TestRing>(8));
    many.push_back(std::make_shared<SampledEpisode>(
        test::open_process(rings.back().get(), getpid(), s.buffer.get()),
        Sampling{2 * kSecond, 2 * kSecond, 0, {}}, anchor, 1, s.listener, *s.buffer));
  }
  for (const auto& episode : many) {
    CHECK(wait_until([&] { return episode->due(monotonic_ns()); }));
  }
  const auto often = s.add_process(&short_ring, getpid(), kMs);
  for (const auto& episode : many) s.sampler.add(episode);
  s.stall->let_go();
  uint64_t first = UINT64_MAX;
  uint64_t last = 0;
  for (const auto& ring : rings) {
    CHECK(wait_until([&] { return test::head_of(ring.get()) >= 2; }));
    const uint64_t at = test::frames_of(ring.get())[1].words[word::kTsMono];
    first = std::min(first, at);
    last = std::max(last, at);
  }
  const auto frames = test::frames_of(&short_ring);
  const auto between = std::count_if(frames.begin(), frames.end(), [&](const FrameWords& frame) {
    return frame.words[word::kTsMono] > first && frame.words[word::kTsMono] < last;
  });
  CHECK(between >= 2);
}

/// The stack of the thread that it is called on.
class StackMeter final : public NewsListener {
 public:
  void news(uint32_t) override {
    pthread_attr_t attributes;
    size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    pthread_attr_getstacksize(&attributes, &bytes);
    pthread_attr_destroy(&attributes);
    bytes_ = bytes;
  }
  size_t bytes() const { return bytes_; }

 private:
  std::atomic<size_t> bytes_{0};
};

TEST(sampler_thread_has_stack_enough_where_the_default_is_small) {
  pthread_attr_t defaults;
  CHECK_EQUAL(pthread_getattr_default_np(&defaults), 0);
  CHECK_EQUAL(pthread_attr_setstacksize(&defaults, size_t{128} * 1024), 0);
  CHECK_EQUAL(pthread_setattr_default_np(&defaults), 0);
  TestRing ring(8);
  Running r;
  const auto meter = std::make_shared<StackMeter>();
  r.sampler.add(std::make_shared<SampledEpisode>(
      test::open_process(&ring, getpid(), r.buffer.get()), Sampling{kNever, kNever, 1, {}},
      monotonic_ns(), 1, meter, *r.buffer));
  CHECK(wait_until([&] { return meter->bytes() > 0; }));
  CHECK(meter->bytes() >= size_t{1024} * 1024);
}

// Run under TSan too.
TEST(sampler_survives_owners_and_readers_in_many_threads) {
  constexpr int kRounds = 60;
  Running r;
  const auto own = [&r](unsigned seed) {
    std::minstd_rand random(seed);
    const auto buffer = std::make_unique<ReadBuffer>();
    const auto listener = std::make_shared<test::Listener>();
    for (int i = 0; i < kRounds; i++) {
      const auto ring = std::make_shared<TestRing>(4);
      const auto episode = std::make_shared<SampledEpisode>(
          test::open_process(ring.get(), getpid(), buffer.get()),
          Sampling{
              kMs, kMs / 2, i % 2 == 0, {{trip_metric::kMemRssBytes, trip_action::kSpeedUp, 1, 1}}},
          monotonic_ns(), 1, listener, *buffer);
      r.sampler.add(episode);
      std::thread follower([&] {
        RingReader reader;
        if (!CHECK(reader.bind(ring->data(), ring->size()))) return;
        const auto waiters = RingWaiters::of(ring->data());
        FrameWords frames[4];
        uint64_t returned = 0;
        for (bool last = false; !last;) {
          last = reader.ended();
          const uint32_t head = test::head_of(ring.get());
          while (const size_t count = reader.read(frames, 4)) returned += count;
          if (!last && waiters->arm(listener, 2, head)) {
            wait_until([&] { return reader.ended() || test::head_of(ring.get()) != head; });
            waiters->disarm(listener.get(), 2);
          }
        }
        CHECK(!reader.corrupt());
        CHECK_EQUAL(returned + reader.missed(), test::head_of(ring.get()));
      });
      for (int act = 0; act < 5; act++) {
        switch (random() % 4) {
          case 0:
            episode->request_period((1 + random() % 5) * kMs, kMs);
            break;
          case 1:
            episode->request_frame(1, 0);
            break;
          case 2:
            episode->request_tripwires({});
            break;
          default:
            (void)episode->take_news();
        }
        r.sampler.post(episode);
      }
      const bool detach = random() % 2 == 0;
      if (detach) {
        episode->detach();
      } else {
        episode->request_end();
      }
      r.sampler.post(episode);
      CHECK(wait_until([&] { return episode->over(); }));
      follower.join();
      const auto frames = test::frames_of(ring.get());
      CHECK(has_flag(frames.back(), flag::kTerminal) == !detach);
    }
  };
  std::vector<std::thread> owners;
  for (unsigned seed = 1; seed <= 4; seed++) owners.emplace_back(own, seed);
  for (std::thread& owner : owners) owner.join();
  CHECK(comes_to_rest());
}

}  // namespace
}  // namespace episcope
