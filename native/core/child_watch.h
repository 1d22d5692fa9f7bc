// Reads how a child of this process ended before it is reaped: waitid with WNOWAIT leaves the
// zombie to its parent's own wait.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "kept_file.h"

namespace episcope {

struct ChildStatus {
  int code = 0;    // 0 if a signal ended it
  int signal = 0;  // 0 if it exited by itself
};

struct ChildExit : ChildStatus {
  /// The usage of the child and of every descendant that was reaped below it.
  rusage usage{};
  /// The highest rss of the child or one of those descendants; 0 if unknown.
  uint64_t peak_bytes = 0;
};

/// Thread-safe. exit() must be called between the child's exit and its reaping: by the sampler when
/// the pidfd becomes readable, and by the event loop just before it reaps.
class ChildWatch {
 public:
  /// Returns nullptr if `pid` is not a child of this process, or if no pidfd can be opened (before
  /// Linux 5.4, or none is left).
  static std::shared_ptr<ChildWatch> open(int pid);
  ChildWatch(const ChildWatch&) = delete;
  ChildWatch& operator=(const ChildWatch&) = delete;

  /// Readable once the child has exited.
  int pidfd() const { return pidfd_.get(); }
  /// Empty while the child is alive, and always if it was reaped before the first call after its
  /// exit.
  std::optional<ChildExit> exit();
  /// How the child ended, even if only its status is known: since Linux 6.15 the pidfd provides
  /// the status of a child that was reaped already.
  std::optional<ChildStatus> status();

 private:
  ChildWatch(KeptDescriptor pidfd, uint64_t own_peak_bytes)
      : pidfd_(std::move(pidfd)), own_peak_bytes_(own_peak_bytes) {}

  const KeptDescriptor pidfd_;
  const uint64_t own_peak_bytes_;
  std::mutex mutex_;  // guards the members below
  std::optional<ChildExit> exit_;
};

}  // namespace episcope
