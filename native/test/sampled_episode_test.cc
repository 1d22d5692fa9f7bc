// One episode in the sampler's hands, under an injected clock: deadlines, tripwires, requests, the
// end, and what is done at a limit.
#include "../core/sampled_episode.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "allocations.h"
#include "check.h"
#include "child.h"
#include "episode_fixture.h"
#include "test_budget.h"
#include "wait.h"

namespace episcope {
namespace {

using test::Child;
using test::FixtureCgroup;
using test::has_flag;
using test::TestBudget;
using test::TestRing;
using test::wait_until;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kAnchor = 5000 * kMs;
constexpr uint64_t kPeriod = 100 * kMs;

uint64_t now_ns = 0;
uint64_t clock_now() { return now_ns; }

/// The sampler's, as far as an episode knows it.
struct Posts final : EpisodeQueue {
  std::atomic<uint32_t> count{0};
  void post(std::shared_ptr<SampledEpisode>) override { count++; }
};

/// The root process is this one, which lives, or one that is gone.
struct Sampled {
  FixtureCgroup cgroup;
  TestRing ring{256};
  std::unique_ptr<ReadBuffer> buffer = std::make_unique<ReadBuffer>();
  std::shared_ptr<test::Listener> listener = std::make_shared<test::Listener>();
  std::shared_ptr<SampledEpisode> episode;
  std::optional<BudgetWatch::Settings> budget;
  bool budget_speeds_up = false;
  uint64_t anchor_ns = kAnchor;
  std::shared_ptr<Posts> posts = std::make_shared<Posts>();

  void start(int pid, Sampling sampling = {kPeriod, kPeriod / 4, 0, {}}) {
    start(test::open_episode(&ring, cgroup.root().c_str(), "c", false, pid, buffer.get()),
          std::move(sampling));
  }
  void start(std::unique_ptr<Episode> opened, Sampling sampling) {
    if (now_ns == 0) now_ns = anchor_ns;
    if (budget) opened->watch_budget(*budget, budget_speeds_up);
    episode = std::make_shared<SampledEpisode>(std::move(opened), std::move(sampling), anchor_ns, 7,
                                               listener, *buffer, clock_now);
    episode->set_queue(posts);
  }
  void wake_at(uint64_t ns) {
    now_ns = ns;
    episode->wake(ns, *buffer);
  }
  void wake_when_due() { wake_at(std::max(now_ns, episode->wake_ns())); }
  std::vector<FrameWords> frames() { return test::frames_of(&ring); }
  size_t count() { return frames().size(); }
  /// Wakes until the end, which must come.
  void run_to_the_end() {
    for (int i = 0; i < 100 && !episode->over(); i++) wake_when_due();
    CHECK(episode->over());
  }
};

/// A process that is gone, and reaped, once `gone()` was called.
class Root {
 public:
  Root() : child_([](Child& self) { return self.hear(); }) {}
  int pid() const { return child_.pid(); }
  void gone() {
    child_.tell();
    child_.reap();
  }

 private:
  Child child_;
};

void check_one_end(Sampled* sampled, size_t frames) {
  const auto all = sampled->frames();
  CHECK_EQUAL(all.size(), frames);
  CHECK(test::ended(&sampled->ring));
  for (size_t i = 0; i < all.size(); i++) {
    CHECK_EQUAL(all[i].words[word::kSeq], i);
    CHECK(has_flag(all[i], flag::kInitial) == (i == 0));
    CHECK(has_flag(all[i], flag::kTerminal) == (i + 1 == all.size()));
  }
  // Nothing comes after it.
  sampled->wake_at(now_ns + 100 * kPeriod);
  sampled->episode->request_frame(1, 0);
  sampled->episode->request_end();
  sampled->wake_at(now_ns + 100 * kPeriod);
  CHECK_EQUAL(sampled->count(), frames);
  CHECK_EQUAL(sampled->episode->pidfd(), -1);
  CHECK_EQUAL(sampled->episode->events_fd(), -1);
}

TEST(sampled_initial_frame_is_there_at_once_and_nobody_is_called) {
  Sampled s;
  s.start(getpid(), {kPeriod, kPeriod, 1, {}});
  const auto frames = s.frames();
  if (!CHECK_EQUAL(frames.size(), 1)) return;
  CHECK(has_flag(frames[0], flag::kInitial) && !has_flag(frames[0], flag::kTerminal));
  CHECK_EQUAL(s.listener->told(), 0);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + kPeriod);
  // The first wake tells.
  s.wake_at(kAnchor);
  CHECK_EQUAL(s.count(), 1);
  CHECK_EQUAL(s.listener->told(), 1);
  CHECK(s.episode->take_news().frames);
}

TEST(sampled_ring_says_that_the_writer_is_native) {
  Sampled s;
  s.start(getpid());
  uint32_t writer = 0;
  std::memcpy(&writer, static_cast<char*>(s.ring.data()) + header::kWriter, sizeof writer);
  CHECK_EQUAL(writer, ring_writer_kind::kNative);
}

TEST(sampled_deadlines_do_not_drift_whatever_a_sample_costs) {
  Sampled s;
  s.start(getpid());
  for (uint64_t k = 1; k <= 50; k++) {
    CHECK_EQUAL(s.episode->wake_ns(), kAnchor + k * kPeriod);
    s.wake_at(kAnchor + k * kPeriod + (k % 7) * 13 * kMs);
    CHECK_EQUAL(s.count(), k + 1);
  }
  CHECK_EQUAL(test::deadlines_missed(&s.ring), 0);
}

TEST(sampled_missed_deadlines_are_counted_and_not_made_up_for) {
  Sampled s;
  s.start(getpid());
  s.wake_at(kAnchor + 4 * kPeriod + kMs);
  CHECK_EQUAL(s.count(), 2);
  CHECK_EQUAL(test::deadlines_missed(&s.ring), 3);
  s.wake_at(now_ns);
  CHECK_EQUAL(s.count(), 2);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + 5 * kPeriod);
  s.wake_when_due();
  CHECK_EQUAL(s.count(), 3);
  CHECK_EQUAL(test::deadlines_missed(&s.ring), 3);
}

TEST(sampled_deadlines_that_passed_before_the_initial_frame_are_missed) {
  Sampled s;
  now_ns = kAnchor + 2 * kPeriod + kMs;
  s.start(getpid());
  CHECK_EQUAL(s.count(), 1);
  CHECK_EQUAL(test::deadlines_missed(&s.ring), 2);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + 3 * kPeriod);
}

TEST(sampled_wake_within_the_slack_serves_and_one_before_does_nothing) {
  Sampled s;
  s.start(getpid());
  const uint64_t deadline = kAnchor + kPeriod;
  CHECK(!s.episode->due(deadline - kMs - 1));
  s.wake_at(deadline - kMs - 1);
  CHECK_EQUAL(s.count(), 1);
  CHECK(s.episode->due(deadline - kMs));
  s.wake_at(deadline - kMs);
  CHECK_EQUAL(s.count(), 2);
  CHECK_EQUAL(s.episode->wake_ns(), deadline + kPeriod);
}

TEST(sampled_period_changes_within_one_wake) {
  Sampled s;
  s.start(getpid());
  s.wake_at(kAnchor + kPeriod);
  s.episode->request_period(10 * kMs, 5 * kMs);
  s.wake_at(kAnchor + kPeriod + kMs);
  CHECK_EQUAL(s.count(), 2);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + kPeriod + 10 * kMs);
  s.episode->request_period(3 * kPeriod, kPeriod);
  s.wake_at(kAnchor + kPeriod + 2 * kMs);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + 4 * kPeriod);
  CHECK_EQUAL(s.count(), 2);
}

TEST(sampled_frame_that_trips_is_flagged_and_speeds_up_until_the_release) {
  Sampled s;
  const uint32_t both = trip_action::kSpeedUp | trip_action::kNotify;
  s.start(getpid(), {kPeriod, kPeriod / 4, 0, {{trip_metric::kMemRssBytes, both, 8000, 6000}}});
  s.wake_when_due();
  s.cgroup.set_rss(8000);
  s.wake_when_due();
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + 2 * kPeriod + kPeriod / 4);
  s.cgroup.set_rss(6000);
  s.wake_when_due();
  s.cgroup.set_rss(5999);
  s.wake_when_due();
  // From the deadline that saw the release.
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + 3 * kPeriod + kPeriod / 2);
  s.wake_when_due();

  const bool flagged[] = {false, false, 1, true, false, false};
  const auto frames = s.frames();
  if (!CHECK_EQUAL(frames.size(), std::size(flagged))) return;
  for (size_t i = 0; i < frames.size(); i++) {
    CHECK(has_flag(frames[i], flag::kHighFrequency) == flagged[i]);
  }
  const News news = s.episode->take_news();
  if (!CHECK_EQUAL(news.trips.size(), 1)) return;
  CHECK_EQUAL(news.trips[0].value, 8000);
  CHECK_EQUAL(news.trips[0].seq, 2);
  // A release is not news.
  CHECK_EQUAL(s.listener->told(), 1);
}

TEST(sampled_initial_frame_can_trip) {
  Sampled s;
  s.start(getpid(),
          {kPeriod, kPeriod / 4, 0, {{trip_metric::kMemRssBytes, trip_action::kSpeedUp, 1, 1}}});
  CHECK(has_flag(s.frames()[0], flag::kHighFrequency));
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + kPeriod / 4);
  CHECK_EQUAL(s.listener->told(), 0);
}

TEST(sampled_tripwires_are_replaced_within_one_wake) {
  Sampled s;
  s.start(getpid(),
          {kPeriod, kPeriod / 4, 0, {{trip_metric::kMemRssBytes, trip_action::kSpeedUp, 1, 1}}});
  s.episode->request_tripwires({});
  s.wake_at(kAnchor + kMs);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + kPeriod);
  s.episode->request_tripwires({{trip_metric::kCpuNs, trip_action::kNotify, 1000, 1000}});
  s.cgroup.set_cpu_us(1);
  s.wake_when_due();
  CHECK_EQUAL(s.episode->take_news().trips.size(), 1);
}

TEST(sampled_frame_is_answered_with_the_words_of_its_slot) {
  Sampled s;
  s.start(getpid());
  s.episode->request_frame(41, flag::kPromoted | flag::kTerminal);
  s.episode->request_frame(42, 0);
  s.wake_at(kAnchor + kMs);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + kPeriod);
  CHECK_EQUAL(s.listener->told(), 1);
  const auto frames = s.frames();
  const News news = s.episode->take_news();
  if (!CHECK_EQUAL(news.replies.size(), 2) || !CHECK_EQUAL(frames.size(), 3)) return;
  for (size_t i = 0; i < 2; i++) {
    CHECK_EQUAL(news.replies[i].request, 41 + i);
    CHECK(std::memcmp(news.replies[i].frame.words + 1, frames[i + 1].words + 1,
                      (kFrameWords - 1) * sizeof(uint64_t)) == 0);
  }
  CHECK(has_flag(frames[1], flag::kPromoted) && !has_flag(frames[1], flag::kTerminal));
  CHECK(!test::ended(&s.ring));
}

TEST(sampled_end_is_held_settled_and_taken_once) {
  Root root;
  Sampled s;
  s.start(root.pid());
  root.gone();
  s.cgroup.set_populated(false);
  s.cgroup.set_cpu_us(10);
  s.wake_at(kAnchor + kPeriod);
  CHECK_EQUAL(s.count(), 1);
  CHECK(!s.episode->over());
  CHECK_EQUAL(s.episode->wake_ns(), now_ns + kMs);
  // Late accounting: from there nothing moves for 8 ms.
  s.cgroup.set_cpu_us(20);
  s.wake_when_due();
  const uint64_t changed = now_ns;
  CHECK_EQUAL(changed, kAnchor + kPeriod + kMs);
  for (int ms = 1; ms < 8; ms++) s.wake_when_due();
  CHECK(!s.episode->over());
  // A wake before the millisecond is over reads nothing.
  s.wake_at(changed + 8 * kMs - 1);
  CHECK(!s.episode->over());
  s.wake_when_due();
  CHECK(s.episode->over());
  CHECK_EQUAL(now_ns, changed + 8 * kMs);
  const auto frames = s.frames();
  CHECK_EQUAL(frames.back().words[word::kCpuNs], 20'000);
  CHECK_EQUAL(s.listener->told(), 1);
  const News news = s.episode->take_news();
  CHECK(news.ended && news.exited);
  check_one_end(&s, 2);
}

TEST(sampled_end_of_a_cgroup_that_was_removed_at_once_has_what_was_read_when_the_root_exited) {
  Root root;
  Sampled s;
  s.start(root.pid());
  root.gone();
  // The others are dying: populated still, and the kill is counted already.
  s.cgroup.set_cpu_us(30);
  s.cgroup.put("memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 4\n");
  s.episode->exit_hint(*s.buffer);
  CHECK_EQUAL(s.count(), 1);
  // And before anybody looks again, all is gone.
  s.cgroup.remove();
  s.run_to_the_end();
  const auto frames = s.frames();
  CHECK_EQUAL(frames.back().words[word::kCpuNs], 30'000);
  CHECK_EQUAL(frames.back().words[word::kOomKills], 4);
  check_one_end(&s, 2);
}

TEST(sampled_settling_ends_after_ten_milliseconds) {
  Root root;
  Sampled s;
  s.start(root.pid());
  root.gone();
  s.cgroup.set_populated(false);
  const uint64_t begin = kAnchor + kPeriod;
  s.wake_at(begin);
  uint64_t us = 0;
  while (!s.episode->over() && us < 100) {
    s.cgroup.set_cpu_us(++us);
    s.wake_when_due();
  }
  CHECK(now_ns <= begin + 10 * kMs);
  CHECK(now_ns >= begin + 9 * kMs);
  check_one_end(&s, 2);
}

TEST(sampled_episode_that_had_ended_gets_both_frames) {
  Root root;
  root.gone();
  Sampled s;
  s.cgroup.set_populated(false);
  s.start(root.pid());
  CHECK_EQUAL(s.count(), 1);
  CHECK_EQUAL(s.episode->wake_ns(), now_ns + kMs);
  s.run_to_the_end();
  CHECK(s.episode->take_news().exited);
  check_one_end(&s, 2);
}

TEST(sampled_hint_finds_the_end_before_the_deadline) {
  Root root;
  Sampled s;
  s.start(root.pid());
  CHECK(s.episode->pidfd() >= 0);
  root.gone();
  s.cgroup.set_populated(false);
  s.episode->exit_hint(*s.buffer);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + kMs);
  s.run_to_the_end();
  check_one_end(&s, 2);
}

TEST(sampled_hint_of_a_living_episode_changes_nothing) {
  Sampled s;
  s.start(getpid());
  s.episode->exit_hint(*s.buffer);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + kPeriod);
  CHECK_EQUAL(s.count(), 1);
  CHECK(s.episode->pidfd() >= 0);
}

TEST(sampled_survivors_of_the_root_are_looked_at_until_they_end) {
  Root root;
  Sampled s;
  s.start(root.pid());
  root.gone();
  s.episode->exit_hint(*s.buffer);
  CHECK_EQUAL(s.episode->pidfd(), -1);
  uint64_t expected = kAnchor;
  for (const uint64_t delay : {1, 2, 4, 8, 16, 20, 20, 20}) {
    expected += delay * kMs;
    CHECK_EQUAL(s.episode->wake_ns(), expected);
    s.wake_when_due();
    // A hint in between moves nothing.
    s.episode->exit_hint(*s.buffer);
  }
  // The periodic samples go on.
  s.wake_at(kAnchor + kPeriod);
  CHECK_EQUAL(s.count(), 2);
  CHECK_EQUAL(s.episode->wake_ns(), expected + 20 * kMs);
  s.cgroup.set_populated(false);
  s.wake_when_due();
  CHECK_EQUAL(s.episode->wake_ns(), expected + 21 * kMs);
  s.run_to_the_end();
  check_one_end(&s, 3);
}

TEST(sampled_sample_that_finds_the_root_gone_looks_again_soon) {
  Root root;
  Sampled s;
  s.start(root.pid());
  root.gone();
  s.wake_at(kAnchor + kPeriod);
  CHECK_EQUAL(s.count(), 2);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + kPeriod + kMs);
}

TEST(sampled_end_on_request_is_at_once_while_it_lives) {
  Sampled s;
  s.start(getpid());
  s.episode->request_end();
  s.wake_at(kAnchor + kMs);
  CHECK(s.episode->over());
  const News news = s.episode->take_news();
  CHECK(news.ended && !news.exited);
  check_one_end(&s, 2);
}

TEST(sampled_end_on_request_settles_what_has_ended) {
  Root root;
  Sampled s;
  s.start(root.pid());
  root.gone();
  s.cgroup.set_populated(false);
  s.episode->request_end();
  s.episode->request_end();
  s.wake_at(kAnchor + kMs);
  CHECK(!s.episode->over());
  s.run_to_the_end();
  CHECK(s.episode->take_news().exited);
  check_one_end(&s, 2);
}

TEST(sampled_request_at_the_end_is_answered_with_the_terminal_frame) {
  Root root;
  Sampled s;
  s.start(root.pid());
  root.gone();
  s.cgroup.set_populated(false);
  s.episode->request_frame(1, 0);  // finds the end
  s.wake_at(kAnchor + kMs);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + 2 * kMs);
  s.episode->request_frame(2, 0);  // while it settles
  s.wake_at(kAnchor + kMs);
  CHECK_EQUAL(s.count(), 1);
  CHECK(s.episode->take_news().replies.empty());
  s.run_to_the_end();
  s.episode->request_frame(3, 0);  // before the owner knows
  const News news = s.episode->take_news();
  CHECK(news.ended);
  if (!CHECK_EQUAL(news.replies.size(), 3)) return;
  for (uint32_t i = 0; i < 3; i++) {
    CHECK_EQUAL(news.replies[i].request, i + 1);
    CHECK_EQUAL(news.replies[i].frame.get(word::kSeq), 1);
    CHECK((news.replies[i].frame.get(word::kMeta) & flag::kTerminal) != 0);
  }
  check_one_end(&s, 2);
}

TEST(sampled_news_is_told_once_until_it_is_taken) {
  Sampled s;
  s.start(getpid(), {kPeriod, kPeriod, 1, {}});
  for (int i = 0; i < 5; i++) s.wake_when_due();
  CHECK_EQUAL(s.listener->told(), 1);
  CHECK(s.episode->take_news().frames);
  CHECK(!s.episode->take_news().frames);
  s.wake_when_due();
  CHECK_EQUAL(s.listener->told(), 2);
}

TEST(sampled_news_of_an_owner_who_does_not_take_it_is_bounded) {
  Sampled s;
  s.start(getpid(),
          {kPeriod, kPeriod, 0, {{trip_metric::kMemRssBytes, trip_action::kNotify, 8000, 8000}}});
  for (int i = 0; i < 160; i++) {
    // Source and tripwire change with every frame: beside the cgroup there is /proc.
    s.cgroup.set_rss(i % 2 == 0 ? 9000 : 1000);
    if (i % 2 == 0) {
      s.cgroup.drop("io.stat");
    } else {
      s.cgroup.set_io(0);
    }
    s.wake_when_due();
  }
  const News news = s.episode->take_news();
  if (!CHECK_EQUAL(news.sources.size(), kMaxKeptNews)) return;
  CHECK_EQUAL(news.sources.back().seq, 160);
  CHECK_EQUAL(news.sources.front().seq, 161 - kMaxKeptNews);
  const uint32_t source = news.sources.back().meta >> meta_shift::kSourceIo & 3;
  CHECK_EQUAL(source, source::kCgroup);
  CHECK_EQUAL(news.trips.size(), kMaxKeptNews);
  CHECK_EQUAL(news.trips.back().seq, 159);
  CHECK_EQUAL(s.listener->told(), 1);
}

TEST(sampled_warning_is_told_once) {
  Sampled s;
  s.start(getpid());
  s.cgroup.put("io.stat", "8:0 rbytes=many\n");
  for (int i = 0; i < 3; i++) s.wake_when_due();
  CHECK_EQUAL(s.episode->take_news().warnings.size(), 1);
  s.wake_when_due();
  CHECK(s.episode->take_news().warnings.empty());
}

TEST(sampled_warnings_of_an_owner_who_does_not_take_them_are_distinct) {
  Sampled s;
  s.start(getpid());
  for (int i = 0; i < 10; i++) {
    s.cgroup.put("io.stat", i % 2 == 0 ? "8:0 rbytes=many\n" : "8:0 rbytes=1\n");
    s.wake_when_due();
  }
  CHECK_EQUAL(s.episode->take_news().warnings.size(), 1);
}

TEST(sampled_detached_episode_writes_and_tells_nothing_more) {
  Sampled s;
  s.start(getpid(), {kPeriod, kPeriod, 1, {}});
  s.wake_when_due();
  const uint32_t told = s.listener->told();
  const int kept = DescriptorBudget::kept();
  s.episode->detach();
  CHECK(s.episode->over());
  CHECK(test::ended(&s.ring));
  CHECK_EQUAL(s.episode->pidfd(), -1);
  s.episode->request_frame(1, 0);
  s.wake_at(now_ns + 10 * kPeriod);
  CHECK_EQUAL(s.count(), 2);
  CHECK_EQUAL(s.listener->told(), told);
  CHECK_EQUAL(s.listener.use_count(), 1);
  CHECK(DescriptorBudget::kept() < kept);
  s.episode->detach();
}

TEST(sampled_frame_allocates_nothing) {
  Sampled s;
  s.start(getpid(),
          {kPeriod, kPeriod, 1, {{trip_metric::kMemRssBytes, trip_action::kSpeedUp, 1, 1}}});
  for (int i = 0; i < 5; i++) s.wake_when_due();
  const uint64_t before = test::allocations();
  for (int i = 0; i < 100; i++) s.wake_at(s.episode->wake_ns());
  CHECK_EQUAL(test::allocations() - before, 0);
  CHECK_EQUAL(test::head_of(&s.ring), 106);
}

TEST(sampled_many_requested_frames_are_taken_a_few_at_a_time_and_all_before_the_end) {
  constexpr uint32_t kRequests = 100;
  Sampled s;
  s.start(getpid());
  for (uint32_t request = 0; request < kRequests; request++) s.episode->request_frame(request, 0);
  s.episode->request_end();
  s.wake_at(kAnchor);
  CHECK(s.count() > 1 && s.count() < kRequests / 2);
  // The rest is due at once.
  CHECK(s.episode->due(kAnchor));
  CHECK_EQUAL(s.episode->wake_ns(), 0);
  s.run_to_the_end();
  const News news = s.episode->take_news();
  CHECK(news.ended);
  if (!CHECK_EQUAL(news.replies.size(), kRequests)) return;
  for (uint32_t i = 0; i < kRequests; i++) {
    CHECK_EQUAL(news.replies[i].request, i);
    CHECK_EQUAL(news.replies[i].frame.get(word::kSeq), i + 1);
  }
  check_one_end(&s, kRequests + 2);
}

TEST(sampled_requests_left_at_the_end_are_answered_by_the_terminal_frame) {
  constexpr uint32_t kRequests = 1000;
  Root root;
  Sampled s;
  s.start(root.pid());
  s.cgroup.set_populated(false);
  root.gone();
  for (uint32_t request = 0; request < kRequests; request++) s.episode->request_frame(request, 0);
  for (uint64_t ms = 1; ms <= 20; ms++) s.wake_at(kAnchor + ms * kMs);
  CHECK(s.episode->over());
  const News news = s.episode->take_news();
  CHECK_EQUAL(news.replies.size(), kRequests);
  for (const News::Reply& reply : news.replies) CHECK_EQUAL(reply.frame.get(word::kSeq), 1);
}

/// Detaches the episode as soon as there is a frame.
struct Detacher final : NewsListener {
  SampledEpisode* episode = nullptr;
  void news(uint32_t) override { episode->detach(); }
};

TEST(sampled_requests_are_dropped_by_a_detach) {
  Sampled s;
  s.start(getpid());
  const auto detacher = std::make_shared<Detacher>();
  detacher->episode = s.episode.get();
  for (uint32_t request = 0; request < 10; request++) s.episode->request_frame(request, 0);
  CHECK(RingWaiters::of(s.ring.data())->arm(detacher, 1, test::head_of(&s.ring)));
  s.wake_at(kAnchor);
  CHECK(s.episode->over());
  CHECK_EQUAL(s.episode->take_news().replies.size(), 1);
  CHECK_EQUAL(s.count(), 2);
}

/// Of so many tokens, which is what others charge.
struct Tokens {
  TestBudget memory;
  BudgetCounters counters = memory.counters();
  explicit Tokens(uint64_t limit) : memory({{resource::kTokens, limit}}) {}
  void use(uint64_t tokens) { counters.add(resource::kTokens, tokens); }
  BudgetWatch::Settings settings() const {
    BudgetWatch::Settings settings;
    settings.counters = counters;
    std::fill(std::begin(settings.thresholds), std::end(settings.thresholds), UINT64_MAX);
    std::fill(std::begin(settings.releases), std::end(settings.releases), UINT64_MAX);
    return settings;
  }
};

/// An episode with a limit, and an actuator that does nothing until it is started: the test answers
/// in its place. Actions are numbered from 1.
struct Limited : Sampled {
  Tokens tokens{5};
  Actuator actuator;

  Limited() {
    cgroup.put("cgroup.freeze", "0");
    cgroup.put("cgroup.kill", "0");
    budget = tokens.settings();
  }
  Sampling sampling(ExhaustAction action) {
    return {kPeriod, kPeriod / 4, 0, {}, action, actuator.queue()};
  }
  /// The frame at the next deadline crosses the limit.
  void exhaust() {
    tokens.use(6);
    wake_when_due();
    CHECK_EQUAL(count(), 2);
  }
  /// Where nothing can be done.
  void exhaust_and_end() {
    tokens.use(6);
    wake_when_due();
    CHECK(episode->over());
  }
  void answer(uint32_t id, int error_number) {
    const uint32_t before = posts->count;
    episode->action_done(id, error_number);
    CHECK_EQUAL(posts->count, before + 1);
    wake_at(now_ns);
  }
};

void check_failed(const News& news, const std::vector<FailedAction>& expected) {
  if (!CHECK_EQUAL(news.failed_actions.size(), expected.size())) return;
  for (size_t i = 0; i < expected.size(); i++) {
    CHECK(news.failed_actions[i].action == expected[i].action);
    CHECK_EQUAL(news.failed_actions[i].error_number, expected[i].error_number);
    CHECK(news.failed_actions[i].next == expected[i].next);
  }
}

constexpr ExhaustAction kStop = ExhaustAction::kStop;
constexpr ExhaustAction kFreeze = ExhaustAction::kFreeze;
constexpr ExhaustAction kKill = ExhaustAction::kKill;

TEST(sampled_limit_ends_it_with_a_terminal_frame_behind_the_one_that_crossed) {
  Limited s;
  s.start(getpid(), s.sampling(kStop));
  s.wake_when_due();
  s.tokens.use(4);
  s.wake_when_due();
  CHECK(!s.episode->over());
  s.tokens.use(2);
  s.wake_when_due();
  CHECK(s.episode->over());
  const auto frames = s.frames();
  const News news = s.episode->take_news();
  CHECK(news.ended && !news.exited);
  check_failed(news, {});
  if (!CHECK(news.exhausted.has_value()) || !CHECK_EQUAL(frames.size(), 5)) return;
  CHECK_EQUAL(news.exhausted->resource, resource::kTokens);
  CHECK_EQUAL(news.exhausted->limit, 5);
  CHECK_EQUAL(news.exhausted->consumed, 6);
  CHECK_EQUAL(news.exhausted->seq, 3);
  CHECK_EQUAL(news.exhausted->ts_ns, frames[3].words[word::kTsMono]);
  CHECK(news.exhausted->late_ns == frames[3].words[word::kTsMono] - frames[2].words[word::kTsMono]);
  CHECK_EQUAL(s.listener->told(), 1);
  check_one_end(&s, 5);
}

TEST(sampled_tripwire_can_be_the_limit) {
  Sampled s;
  s.start(getpid(),
          {kPeriod, kPeriod, 0, {{trip_metric::kMemRssBytes, trip_action::kExhaust, 8000, 8000}}});
  s.wake_when_due();
  s.cgroup.set_rss(9000);
  s.wake_when_due();
  const auto frames = s.frames();
  const News news = s.episode->take_news();
  CHECK(news.ended && news.trips.empty());
  if (!CHECK(news.exhausted.has_value()) || !CHECK_EQUAL(frames.size(), 4)) return;
  CHECK_EQUAL(news.exhausted->resource, resource::kCount + trip_metric::kMemRssBytes);
  CHECK_EQUAL(news.exhausted->limit, 8000);
  CHECK_EQUAL(news.exhausted->consumed, 9000);
  CHECK_EQUAL(news.exhausted->seq, 2);
  CHECK(news.exhausted->late_ns == frames[2].words[word::kTsMono] - frames[1].words[word::kTsMono]);
  check_one_end(&s, 4);
}

TEST(sampled_requested_frame_can_cross_the_limit) {
  Limited s;
  s.start(getpid(), s.sampling(kStop));
  s.tokens.use(5);
  s.episode->request_frame(1, 0);
  s.wake_at(kAnchor + kMs);
  const News news = s.episode->take_news();
  CHECK(news.ended);
  if (CHECK_EQUAL(news.replies.size(), 1)) CHECK_EQUAL(news.replies[0].frame.get(word::kSeq), 1);
  if (CHECK(news.exhausted.has_value())) CHECK_EQUAL(news.exhausted->seq, 1);
  check_one_end(&s, 3);
}

TEST(sampled_wall_time_wakes_exactly_when_it_is_used_up) {
  constexpr uint64_t kLimit = 50 * kMs;
  TestBudget memory({{resource::kWallMs, kLimit}});
  Sampled s;
  s.budget = Tokens(1).settings();
  s.budget->counters = memory.counters();
  s.budget->start_ns = s.anchor_ns = now_ns = monotonic_ns();
  s.start(getpid(), {3600'000 * kMs, 3600'000 * kMs, 0, {}});
  const uint64_t due = s.anchor_ns + kLimit;
  CHECK_EQUAL(s.episode->wake_ns(), due);
  CHECK(!s.episode->due(due - 1));
  s.wake_at(due - 1);
  CHECK_EQUAL(s.count(), 1);
  // The frames' own stamps are of the real clock.
  CHECK(wait_until([due] { return monotonic_ns() >= due; }));
  CHECK(s.episode->due(due));
  s.wake_at(due);
  CHECK(s.episode->over());
  const News news = s.episode->take_news();
  CHECK(news.ended && !news.exited);
  if (!CHECK(news.exhausted.has_value())) return;
  CHECK_EQUAL(news.exhausted->resource, resource::kWallMs);
  CHECK_EQUAL(news.exhausted->seq, 1);
  CHECK(news.exhausted->consumed >= kLimit);
  CHECK(news.exhausted->late_ns == news.exhausted->consumed - kLimit);
  check_one_end(&s, 3);
}

TEST(sampled_freeze_is_written_and_ends_it_once_everybody_is_frozen) {
  Limited s;
  CHECK_EQUAL(s.actuator.start(), 0);
  s.start(getpid(), s.sampling(kFreeze));
  CHECK(s.cgroup.get("cgroup.freeze") == "0");
  s.exhaust();
  CHECK(wait_until([&] { return s.posts->count == 1; }));
  CHECK(s.cgroup.get("cgroup.freeze") == "1");
  CHECK(s.cgroup.get("cgroup.kill") == "0");
  // Not everybody has come to rest: it is looked for.
  s.wake_at(now_ns);
  for (const uint64_t delay : {1, 2, 4, 8, 16, 20, 20}) {
    CHECK_EQUAL(s.episode->wake_ns(), now_ns + delay * kMs);
    s.wake_when_due();
  }
  CHECK_EQUAL(s.count(), 2);
  s.cgroup.set_events(true, true);
  s.wake_when_due();
  CHECK(!s.episode->over());
  s.run_to_the_end();
  const News news = s.episode->take_news();
  CHECK(news.ended && !news.exited && news.exhausted.has_value());
  check_failed(news, {});
  check_one_end(&s, 3);
}

TEST(sampled_hint_sees_that_everybody_is_frozen) {
  Limited s;
  s.start(getpid(), s.sampling(kFreeze));
  s.exhaust();
  s.cgroup.set_events(true, true);
  // Not before the write has come back.
  s.episode->exit_hint(*s.buffer);
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + 2 * kPeriod);
  s.cgroup.set_events(true, false);
  s.answer(1, 0);
  for (int i = 0; i < 3; i++) s.wake_when_due();
  CHECK_EQUAL(s.episode->wake_ns(), now_ns + 8 * kMs);
  s.cgroup.set_events(true, true);
  s.episode->exit_hint(*s.buffer);
  CHECK_EQUAL(s.episode->wake_ns(), now_ns + kMs);
  s.run_to_the_end();
  CHECK(now_ns < kAnchor + kPeriod + 30 * kMs);
  CHECK(!s.episode->take_news().exited);
  check_one_end(&s, 3);
}

TEST(sampled_kill_is_written_and_ends_it_once_nobody_is_left) {
  Root root;
  Limited s;
  CHECK_EQUAL(s.actuator.start(), 0);
  s.start(root.pid(), s.sampling(kKill));
  s.exhaust();
  CHECK(wait_until([&] { return s.posts->count == 1; }));
  CHECK(s.cgroup.get("cgroup.kill") == "1");
  CHECK(s.cgroup.get("cgroup.freeze") == "0");
  s.wake_at(now_ns);
  CHECK_EQUAL(s.episode->wake_ns(), now_ns + kMs);
  root.gone();
  s.wake_when_due();
  CHECK_EQUAL(s.count(), 2);
  CHECK(!s.episode->over());
  s.cgroup.set_populated(false);
  s.run_to_the_end();
  const News news = s.episode->take_news();
  CHECK(news.ended && news.exited);
  check_failed(news, {});
  check_one_end(&s, 3);
}

TEST(sampled_action_that_fails_gives_way_to_the_weaker_ones) {
  Limited s;
  s.start(getpid(), s.sampling(kKill));
  s.exhaust();
  s.answer(1, EPERM);
  CHECK(!s.episode->over());
  s.answer(2, EACCES);
  CHECK(s.episode->over());
  const News news = s.episode->take_news();
  CHECK(news.ended && !news.exited);
  check_failed(news, {{kKill, EPERM, kFreeze}, {kFreeze, EACCES, kStop}});
  check_one_end(&s, 3);
}

TEST(sampled_actions_without_a_cgroup_end_it) {
  {
    Limited s;
    s.start(test::open_process(&s.ring, getpid(), s.buffer.get()), s.sampling(kFreeze));
    s.exhaust_and_end();
    check_failed(s.episode->take_news(), {{kFreeze, 0, kStop}});
    check_one_end(&s, 3);
  }
  now_ns = kAnchor;
  Limited s;
  s.start(test::open_process(&s.ring, getpid(), s.buffer.get()), s.sampling(kKill));
  s.exhaust();
  s.answer(1, EPERM);
  check_failed(s.episode->take_news(), {{kKill, EPERM, kStop}});
  check_one_end(&s, 3);
}

TEST(sampled_actions_of_a_stopped_actuator_fail_at_once) {
  Limited s;
  CHECK(s.actuator.stop(0));
  s.start(getpid(), s.sampling(kKill));
  s.exhaust_and_end();
  check_failed(s.episode->take_news(), {{kKill, ESHUTDOWN, kFreeze}, {kFreeze, ESHUTDOWN, kStop}});
  check_one_end(&s, 3);
}

TEST(sampled_freeze_that_gets_no_descriptor_says_so) {
  Limited s;
  s.start(getpid(), s.sampling(kFreeze));
  s.wake_when_due();
  rlimit all{};
  CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &all), 0);
  const rlimit none{0, all.rlim_max};
  CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &none), 0);
  s.tokens.use(6);
  s.wake_when_due();
  CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &all), 0);
  CHECK(s.episode->over());
  const News news = s.episode->take_news();
  if (!CHECK_EQUAL(news.failed_actions.size(), 1)) return;
  const int error_number = news.failed_actions[0].error_number;
  CHECK(error_number == EMFILE || error_number == EINVAL);
}

TEST(sampled_action_that_is_never_answered_is_given_up_after_five_seconds) {
  Limited s;
  s.start(getpid(), s.sampling(kKill));
  s.exhaust();
  const uint64_t killed = now_ns;
  s.wake_at(killed + 5000 * kMs - 1);
  CHECK(s.episode->take_news().failed_actions.empty());
  CHECK_EQUAL(s.episode->wake_ns(), killed + 5000 * kMs);
  s.wake_when_due();
  check_failed(s.episode->take_news(), {{kKill, ETIMEDOUT, kFreeze}});
  CHECK(!s.episode->over());
  s.wake_at(killed + 10000 * kMs - 1);
  CHECK(!s.episode->over());
  s.wake_at(killed + 10000 * kMs);
  CHECK(s.episode->over());
  check_failed(s.episode->take_news(), {{kFreeze, ETIMEDOUT, kStop}});
}

TEST(sampled_action_that_does_not_come_about_is_given_up_after_five_seconds) {
  Limited s;
  s.start(getpid(), s.sampling(kFreeze));
  s.exhaust();
  const uint64_t frozen = now_ns;
  s.answer(1, 0);
  while (!s.episode->over() && now_ns < frozen + 6000 * kMs) s.wake_when_due();
  CHECK(now_ns >= frozen + 5000 * kMs);
  CHECK(now_ns <= frozen + 5020 * kMs);
  check_failed(s.episode->take_news(), {{kFreeze, ETIMEDOUT, kStop}});
}

TEST(sampled_late_answer_of_an_earlier_action_is_ignored) {
  Limited s;
  s.start(getpid(), s.sampling(kKill));
  s.exhaust();
  s.wake_at(now_ns + 5000 * kMs);
  check_failed(s.episode->take_news(), {{kKill, ETIMEDOUT, kFreeze}});
  s.cgroup.set_events(true, true);
  const size_t frames = s.count();
  s.answer(1, 0);
  s.answer(1, EPERM);
  CHECK(s.episode->take_news().empty());
  // It is not even looked at.
  s.wake_at(now_ns + 20 * kMs);
  CHECK_EQUAL(s.count(), frames);
  s.answer(2, 0);
  s.run_to_the_end();
  const News news = s.episode->take_news();
  CHECK(news.ended && news.failed_actions.empty());
  // Nor is one that comes after the end.
  s.answer(2, EPERM);
  CHECK(s.episode->take_news().empty());
}

TEST(sampled_end_on_request_waits_for_the_action_under_way) {
  Limited s;
  s.start(getpid(), s.sampling(kFreeze));
  s.exhaust();
  s.episode->request_end();
  s.wake_at(now_ns + kMs);
  CHECK(!s.episode->over());
  s.answer(1, 0);
  CHECK(!s.episode->over());
  s.cgroup.set_events(true, true);
  s.run_to_the_end();
  const News news = s.episode->take_news();
  CHECK(news.ended && !news.exited && news.failed_actions.empty());
  check_one_end(&s, 3);
}

void check_asked_again(int unfinished) {
  Limited s;
  s.start(getpid(), s.sampling(kKill));
  s.exhaust();
  const uint64_t killed = now_ns;
  s.answer(1, unfinished);
  s.answer(1, EPERM);  // of the one before
  CHECK(!s.episode->over());
  CHECK_EQUAL(s.episode->wake_ns(), now_ns + kMs);
  s.wake_when_due();
  s.answer(2, unfinished);
  s.wake_when_due();
  CHECK(s.episode->take_news().failed_actions.empty());
  // But not for ever.
  now_ns = killed + 5000 * kMs;
  s.answer(3, unfinished);
  check_failed(s.episode->take_news(), {{kKill, unfinished, kFreeze}});
  s.cgroup.set_events(true, true);
  s.answer(4, 0);
  s.run_to_the_end();
}

TEST(sampled_action_that_has_to_be_asked_again_is) { check_asked_again(EAGAIN); }

TEST(sampled_kill_of_what_has_not_died_yet_is_asked_again) { check_asked_again(ETIMEDOUT); }

TEST(sampled_initial_frame_that_reaches_the_limit_acts_at_the_first_wake) {
  Limited s;
  s.tokens.use(5);
  s.start(getpid(), s.sampling(kStop));
  CHECK_EQUAL(s.count(), 1);
  CHECK(!s.episode->over());
  CHECK_EQUAL(s.listener->told(), 0);
  s.wake_at(kAnchor);
  CHECK(s.episode->over());
  const News news = s.episode->take_news();
  if (!CHECK(news.exhausted.has_value())) return;
  CHECK_EQUAL(news.exhausted->seq, 0);
  CHECK(!news.exhausted->late_ns);
  check_one_end(&s, 2);
}

TEST(sampled_initial_frame_of_what_has_ended_reaches_the_limit_and_nothing_is_done) {
  Root root;
  root.gone();
  Limited s;
  s.tokens.use(5);
  s.cgroup.set_populated(false);
  CHECK(s.actuator.stop(0));
  s.start(root.pid(), s.sampling(kKill));
  s.run_to_the_end();
  const News news = s.episode->take_news();
  CHECK(news.exited && news.exhausted.has_value());
  check_failed(news, {});
  check_one_end(&s, 2);
}

TEST(sampled_terminal_frame_that_reaches_the_limit_is_told_and_nothing_is_done) {
  Limited s;
  CHECK(s.actuator.stop(0));
  s.start(getpid(), s.sampling(kKill));
  s.tokens.use(5);
  s.episode->request_end();
  s.wake_at(kAnchor + kMs);
  CHECK(s.episode->over());
  const News news = s.episode->take_news();
  CHECK(news.ended && !news.exited);
  check_failed(news, {});
  if (CHECK(news.exhausted.has_value())) CHECK_EQUAL(news.exhausted->seq, 1);
  check_one_end(&s, 2);
}

TEST(sampled_limit_is_told_once) {
  Limited s;
  s.start(getpid(), s.sampling(kFreeze));
  s.exhaust();
  CHECK(s.episode->take_news().exhausted.has_value());
  s.tokens.use(100);
  for (int i = 0; i < 3; i++) s.wake_when_due();
  CHECK(s.episode->take_news().empty());
}

TEST(sampled_detach_during_an_action_leaves_its_answer_without_effect) {
  Limited s;
  s.start(getpid(), s.sampling(kKill));
  s.exhaust();
  const uint32_t told = s.listener->told();
  s.episode->detach();
  s.answer(1, EPERM);
  CHECK_EQUAL(s.count(), 2);
  CHECK_EQUAL(s.listener.use_count(), 1);
  CHECK(told == 1);
}

TEST(sampled_threshold_flags_its_frame_and_speeds_up_until_it_is_refunded) {
  Tokens tokens(10);
  Sampled s;
  s.budget = tokens.settings();
  s.budget->thresholds[resource::kTokens] = 8;
  s.budget->releases[resource::kTokens] = 7;
  s.budget_speeds_up = true;
  s.start(getpid());
  s.wake_when_due();
  tokens.use(8);
  s.wake_when_due();
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + 2 * kPeriod + kPeriod / 4);
  tokens.memory.refund(resource::kTokens, 1);
  s.wake_when_due();
  tokens.memory.refund(resource::kTokens, 1);
  s.wake_when_due();
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + 3 * kPeriod + kPeriod / 2);
  s.wake_when_due();
  const bool flagged[] = {false, false, true, true, false, false};
  const auto frames = s.frames();
  if (!CHECK_EQUAL(frames.size(), std::size(flagged))) return;
  for (size_t i = 0; i < frames.size(); i++) {
    CHECK(has_flag(frames[i], flag::kHighFrequency) == flagged[i]);
  }
  const News news = s.episode->take_news();
  CHECK(!news.exhausted);
  if (!CHECK_EQUAL(news.budget_trips.size(), 1)) return;
  CHECK_EQUAL(news.budget_trips[0].resource, resource::kTokens);
  CHECK_EQUAL(news.budget_trips[0].limit, 10);
  CHECK_EQUAL(news.budget_trips[0].consumed, 8);
  CHECK_EQUAL(news.budget_trips[0].seq, 2);
  CHECK_EQUAL(s.listener->told(), 1);
}

TEST(sampled_threshold_that_does_not_speed_up_is_told_alone) {
  Tokens tokens(10);
  Sampled s;
  s.budget = tokens.settings();
  s.budget->thresholds[resource::kTokens] = s.budget->releases[resource::kTokens] = 8;
  s.start(getpid());
  tokens.use(9);
  s.wake_when_due();
  CHECK(!has_flag(s.frames()[1], flag::kHighFrequency));
  CHECK_EQUAL(s.episode->wake_ns(), kAnchor + 2 * kPeriod);
  CHECK_EQUAL(s.episode->take_news().budget_trips.size(), 1);
}

TEST(sampled_frame_with_a_budget_allocates_nothing) {
  TestBudget memory({{resource::kCpuMs, 1'000'000 * kMs}, {resource::kWallMs, 1'000'000 * kMs}});
  Sampled s;
  s.budget = Tokens(1).settings();
  s.budget->counters = memory.counters();
  s.budget->start_ns = monotonic_ns();
  s.start(getpid());
  s.wake_when_due();
  const uint64_t before = test::allocations();
  for (int i = 0; i < 100; i++) s.wake_at(s.episode->wake_ns());
  CHECK_EQUAL(test::allocations() - before, 0);
  CHECK_EQUAL(test::head_of(&s.ring), 102);
}

}  // namespace
}  // namespace episcope
