#include "sampler_loop.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "clock.h"

namespace episcope {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// Limits a turn: posts, exits and shorter periods wait at most this long plus one sample, however
// many episodes are due.
constexpr uint64_t kTurnNs = 1'000'000;

// A post is served at once. With more than a turn of work, deadlines that pass within this time
// after the post are served before it.
constexpr uint64_t kPostNs = 10'000'000;

// The data of an epoll event: one of our own descriptors, or the address of an episode with a bit
// that selects one of its two descriptors. If the address has been reused by another episode, the
// event only makes that one check for its end.
constexpr uint64_t kControl = 0;
constexpr uint64_t kTimer = 2;
constexpr uint64_t kEventsBit = 1;

uint64_t data_of(const SampledEpisode* episode) { return reinterpret_cast<uintptr_t>(episode); }

timespec to_timespec(uint64_t ns) {
  timespec time{};
  time.tv_sec = static_cast<time_t>(ns / kSecond);
  time.tv_nsec = static_cast<long>(ns % kSecond);
  return time;
}

int add_to(int epoll_fd, int fd, uint64_t data) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = data;
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

int SamplerLoop::open() {
  epoll_fd_ = OwnedDescriptor(epoll_create1(EPOLL_CLOEXEC));
  control_fd_ = OwnedDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  stopped_fd_ = OwnedDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  timer_fd_ = OwnedDescriptor(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!epoll_fd_.is_open() || !control_fd_.is_open() || !stopped_fd_.is_open() ||
      !timer_fd_.is_open()) {
    return errno;
  }
  if (add_to(epoll_fd_.get(), control_fd_.get(), kControl) != 0) return errno;
  if (add_to(epoll_fd_.get(), timer_fd_.get(), kTimer) != 0) return errno;
  return 0;
}

void SamplerLoop::post(std::shared_ptr<SampledEpisode> episode) {
  if (!episode->enter_queue()) return;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(episode));
  }
  if (first) signal_control();
}

void SamplerLoop::request_stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  signal_control();
}

bool SamplerLoop::wait_for_stop(uint64_t timeout_ns) const {
  const uint64_t end = monotonic_ns() + timeout_ns;
  pollfd stopped = {stopped_fd_.get(), POLLIN, 0};
  for (;;) {
    const timespec left = to_timespec(saturating_sub(end, monotonic_ns()));
    const int ready = ppoll(&stopped, 1, &left, nullptr);
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

void SamplerLoop::run() {
  pthread_setname_np(pthread_self(), "episcope");
  // By default the kernel delays timers by up to 50 µs to coalesce wakes, which we do ourselves.
  prctl(PR_SET_TIMERSLACK, 1);
  for (;;) {
    take_posted();
    {
      const std::lock_guard lock(mutex_);
      if (stop_) break;
    }
    serve_due();
    arm_timer();
    wait_for_events();
    for (const uint64_t data : hints_) hint(data);
  }
  entries_.clear();
  const uint64_t one = 1;
  (void)!write(stopped_fd_.get(), &one, sizeof one);
}

void SamplerLoop::arm_timer() {
  // A time in the past fires immediately; 0 would disarm the timer.
  const uint64_t earliest = std::max<uint64_t>(1, heap_.earliest_ns());
  if (earliest == armed_ns_) return;
  itimerspec spec{};
  if (earliest != UINT64_MAX) spec.it_value = to_timespec(earliest);
  const bool armed = timerfd_settime(timer_fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) == 0;
  if (armed) armed_ns_ = earliest;
}

void SamplerLoop::wait_for_events() {
  constexpr int kMaxEvents = 64;
  epoll_event events[kMaxEvents];
  hints_.clear();
  const int count = epoll_wait(epoll_fd_.get(), events, kMaxEvents, -1);
  if (count < 0 && errno != EINTR) {
    // The host closed our epoll descriptor. Sampling continues, and detects the end of episodes.
    constexpr uint64_t kMaxPauseNs = kSecond / 50;
    const uint64_t latest = monotonic_ns() + kMaxPauseNs;
    const timespec until = to_timespec(std::min(latest, heap_.earliest_ns()));
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }
  for (int i = 0; i < count; i++) {
    const uint64_t data = events[i].data.u64;
    if (data == kControl) {
      uint64_t posts = 0;
      (void)!read(control_fd_.get(), &posts, sizeof posts);
    } else if (data != kTimer) {
      hints_.push_back(data);
    }
    // The timer is not read: arming or disarming it clears its event.
  }
}

void SamplerLoop::take_posted() {
  {
    const std::lock_guard lock(mutex_);
    taken_.swap(posted_);
  }
  for (std::shared_ptr<SampledEpisode>& episode : taken_) {
    episode->leave_queue();
    Entry& entry = entries_[episode.get()];
    if (!entry.episode) {
      entry.episode = std::move(episode);
      heap_.add(&entry, UINT64_MAX);
    }
    if (entry.posted_ns == 0) entry.posted_ns = monotonic_ns();
    heap_.retime(&entry, 0);
  }
  taken_.clear();
}

void SamplerLoop::serve_due() {
  const uint64_t now = monotonic_ns();
  due_.clear();
  heap_.for_each_until(now + kMaxPacerSlackNs, [&](Entry* entry) {
    const bool posted = entry->posted_ns != 0;
    if (!posted && !entry->episode->due(now)) return;
    entry->serve_by_ns = entry->episode->serve_by_ns();
    if (posted) entry->serve_by_ns = std::min(entry->serve_by_ns, entry->posted_ns + kPostNs);
    due_.push_back(entry);
  });
  std::sort(due_.begin(), due_.end(), [](const Entry* one, const Entry* other) {
    return one->serve_by_ns < other->serve_by_ns;
  });
  for (Entry* entry : due_) {
    entry->posted_ns = 0;
    entry->episode->wake(now, *buffer_);
    update(*entry);
    // The remaining episodes are still due, so the timer fires at once.
    if (monotonic_ns() > now + kTurnNs) return;
  }
}

void SamplerLoop::hint(uint64_t data) {
  const auto* episode =
      reinterpret_cast<const SampledEpisode*>(static_cast<uintptr_t>(data & ~kEventsBit));
  const auto found = entries_.find(episode);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  ((data & kEventsBit) != 0 ? entry.events : entry.pidfd).fired = true;
  entry.episode->exit_hint(*buffer_);
  update(entry);
}

/// Updates the wake time and the descriptors of an episode after it was served, or removes it.
void SamplerLoop::update(Entry& entry) {
  SampledEpisode& episode = *entry.episode;
  if (episode.over()) {
    // If it was detached meanwhile, its files are still open.
    episode.wake(monotonic_ns(), *buffer_);
    heap_.remove(&entry);
    entries_.erase(&episode);
    return;
  }
  heap_.retime(&entry, entry.posted_ns != 0 ? 0 : episode.wake_ns());
  watch(entry.pidfd, episode.pidfd(), EPOLLIN, data_of(&episode));
  watch(entry.events, episode.events_fd(), EPOLLPRI, data_of(&episode) | kEventsBit);
}

// A descriptor that was closed or is no longer watched is not deleted from the epoll, because its
// number may belong to another file by now. It fires at most once.
void SamplerLoop::watch(Watch& watch, int fd, uint32_t events, uint64_t data) {
  if (fd == watch.fd && !watch.fired) return;
  const bool same = fd == watch.fd;
  watch = {fd, false};
  if (fd < 0) return;
  epoll_event event{};
  event.events = events | EPOLLONESHOT;
  event.data.u64 = data;
  // If epoll refuses the descriptor, sampling detects the end.
  if (same && epoll_ctl(epoll_fd_.get(), EPOLL_CTL_MOD, fd, &event) == 0) return;
  (void)epoll_ctl(epoll_fd_.get(), EPOLL_CTL_ADD, fd, &event);
}

void SamplerLoop::signal_control() {
  const uint64_t one = 1;
  (void)!write(control_fd_.get(), &one, sizeof one);
}

}  // namespace episcope
