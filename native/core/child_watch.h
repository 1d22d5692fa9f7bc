// How a child of this process ended, asked of the kernel before anybody reaps it: waitid with
// WNOWAIT leaves the zombie for whoever waits for it.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace episcope {

struct ChildStatus {
  int code = 0;    // 0 where a signal ended it
  int signal = 0;  // 0: it exited by itself
};

struct ChildExit : ChildStatus {
  /// Its own consumption and that of every descendant that was reaped below it.
  rusage usage{};
  /// The highest rss of the child or of one of those; 0: not known.
  uint64_t peak_bytes = 0;
};

/// Thread-safe. It must be asked between the child's exit and its reaping: by the sampler when the
/// pidfd says so, and by the loop that reaps just before it does.
class ChildWatch {
 public:
  /// nullptr: `pid` is no child of this process, or no descriptor is to be had for it (Linux 5.4).
  static std::shared_ptr<ChildWatch> open(int pid);
  ~ChildWatch();
  ChildWatch(const ChildWatch&) = delete;
  ChildWatch& operator=(const ChildWatch&) = delete;

  /// Readable once the child has exited.
  int pidfd() const { return pidfd_; }
  /// Empty while it lives, and for ever where it was reaped before it was asked for.
  std::optional<ChildExit> exit();
  /// How it ended, also where only its status is known: Linux 6.15 tells that of a child that was
  /// reaped before it was asked for.
  std::optional<ChildStatus> status();

 private:
  ChildWatch(int pidfd, uint64_t own_peak_bytes) : pidfd_(pidfd), own_peak_bytes_(own_peak_bytes) {}

  const int pidfd_;
  const uint64_t own_peak_bytes_;
  std::mutex mutex_;  // of what follows
  std::optional<ChildExit> exit_;
};

}  // namespace episcope
