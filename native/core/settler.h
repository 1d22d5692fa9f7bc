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

  /// Survivors or the kernel's last accounting may keep an episode whose root is gone:
  /// cgroup.events is rate-limited, and there are no events without a cgroup. So the end is checked
  /// from now on, at growing intervals.
  void linger_if_root_is_gone();
  bool lingering() const { return linger_due_ns_ != UINT64_MAX; }
  /// When the end is checked next.
  uint64_t linger_due_ns() const { return linger_due_ns_; }
  /// Checks for the end. Returns true if the episode has ended.
  bool look_for_end(ReadBuffer& buffer);

  /// The dying task's last accounting may come after the end is seen: with the next tick of a cpu
  /// that still runs it. So the counters are read until they agree for two ticks; but systemd
  /// removes its scope within 20 ms of the end. `exited`: the episode itself ended.
  void begin(bool exited, ReadBuffer& buffer);
  bool exited() const { return exited_; }
  /// When the counters are read next.
  uint64_t due_ns() const { return due_ns_; }
  /// Reads the counters; true when they are settled.
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
