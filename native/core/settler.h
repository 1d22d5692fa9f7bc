// Detects the end of an episode whose root has exited, and reads its counters until they are
// the final totals. The twin of src/engine/js/settler.ts.
#pragma once

#include <cstdint>

#include "clock.h"
#include "driven_episode.h"

namespace episcope {

class Settler {
 public:
  Settler(DrivenEpisode& episode, Clock clock) : episode_(episode), clock_(clock) {}

  /// An episode whose root is gone may go on because of survivors or the kernel's last accounting.
  /// Its end may not be reported in time: cgroup.events is rate-limited, and without a cgroup there
  /// are no events. So from now on it is checked at growing intervals.
  void linger_if_root_is_gone();
  bool lingering() const { return linger_due_ns_ != UINT64_MAX; }
  /// When to check for the end next.
  uint64_t linger_due_ns() const { return linger_due_ns_; }
  /// Checks for the end. Returns true if the episode has ended.
  bool look_for_end(ReadBuffer& buffer);

  /// Begins to settle. The last accounting of a dying task may follow the end that was seen, with
  /// the next tick of a cpu that still runs it, so the counters are read until they stay equal for
  /// two ticks. But systemd removes its scope within 20 ms of the end. `exited`: the episode ended
  /// by itself.
  void begin(bool exited, ReadBuffer& buffer);
  bool exited() const { return exited_; }
  /// When to read the counters next.
  uint64_t due_ns() const { return due_ns_; }
  /// Reads the counters. Returns true once they are settled.
  bool settle(ReadBuffer& buffer);

 private:
  DrivenEpisode& episode_;
  const Clock clock_;
  uint64_t linger_due_ns_ = UINT64_MAX;
  uint64_t linger_delay_ns_ = kLingerFirstNs;
  bool exited_ = false;
  uint64_t limit_ns_ = 0;
  uint64_t changed_ns_ = 0;
  uint64_t due_ns_ = 0;
};

}  // namespace episcope
