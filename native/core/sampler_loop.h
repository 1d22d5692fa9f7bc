// The loop of the sampler thread: one epoll for control, the timer of the earliest wake, pidfds and
// cgroup.events. One wake serves every episode that is due.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "owned_descriptor.h"
#include "sampled_episode.h"
#include "wake_heap.h"

namespace episcope {

class SamplerLoop : public EpisodeQueue {
 public:
  SamplerLoop() = default;
  SamplerLoop(const SamplerLoop&) = delete;
  SamplerLoop& operator=(const SamplerLoop&) = delete;

  /// Returns 0 or an errno.
  int open();

  // May be called from any thread.
  void post(std::shared_ptr<SampledEpisode> episode) override;
  void request_stop();
  /// Waits at most `timeout_ns` for the end of run(). Returns whether it has ended.
  bool wait_for_stop(uint64_t timeout_ns) const;

  /// Runs the thread; returns after request_stop().
  void run();

 private:
  /// A descriptor of an episode in the epoll. It is one-shot, so that an exited process or a
  /// removed cgroup is reported once.
  struct Watch {
    int fd = -1;
    bool fired = false;
  };
  struct Entry {
    std::shared_ptr<SampledEpisode> episode;
    uint64_t wake_ns = 0;
    size_t place = 0;
    uint64_t posted_ns = 0;    // 0 if not posted since it was last served
    uint64_t serve_by_ns = 0;  // valid while it is in due_
    Watch pidfd;
    Watch events;
  };

  void arm_timer();
  void wait_for_events();
  void take_posted();
  void serve_due();
  void hint(uint64_t data);
  void update(Entry& entry);
  void watch(Watch& watch, int fd, uint32_t events, uint64_t data);
  void signal_control();

  OwnedDescriptor epoll_fd_;
  OwnedDescriptor control_fd_;
  OwnedDescriptor timer_fd_;
  OwnedDescriptor stopped_fd_;
  uint64_t armed_ns_ = UINT64_MAX;  // when the timer fires; UINT64_MAX if it is not armed

  const std::unique_ptr<ReadBuffer> buffer_ = std::make_unique<ReadBuffer>();
  std::unordered_map<const SampledEpisode*, Entry> entries_;
  WakeHeap<Entry> heap_;
  std::vector<Entry*> due_;
  std::vector<uint64_t> hints_;
  std::vector<std::shared_ptr<SampledEpisode>> taken_;

  std::mutex mutex_;  // guards the members below
  std::vector<std::shared_ptr<SampledEpisode>> posted_;
  bool stop_ = false;
};

}  // namespace episcope
