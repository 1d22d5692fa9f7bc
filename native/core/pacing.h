// When an episode is sampled: its deadlines, at the usual or the fast period. The twin of
// src/engine/js/pacing.ts.
#pragma once

#include <cstdint>

#include "mailbox.h"
#include "pacer.h"

namespace episcope {

class Pacing {
 public:
  explicit Pacing(Periods periods) : periods_(periods) {}

  /// Starts at `now`, after the first frame was taken; see Pacer::start.
  void start(uint64_t anchor_ns, uint64_t now_ns) {
    pacer_.start(anchor_ns, periods_.base_ns, now_ns);
  }
  /// Takes effect with the next pace().
  void set_periods(Periods periods) { periods_ = periods; }
  /// Switches to the usual or the fast period, counted from the last deadline.
  void pace(bool speed_up, uint64_t now_ns) {
    const uint64_t period_ns = speed_up ? periods_.fast_ns : periods_.base_ns;
    if (period_ns != pacer_.period_ns()) pacer_.set_period(period_ns, now_ns);
  }
  void served(uint64_t now_ns) { pacer_.served(now_ns); }

  bool due(uint64_t now_ns) const { return pacer_.due(now_ns); }
  uint64_t deadline_ns() const { return pacer_.deadline_ns(); }
  /// The deadline after the next one.
  uint64_t second_deadline_ns() const { return pacer_.deadline_ns() + pacer_.period_ns(); }
  uint32_t missed() const { return pacer_.missed(); }

 private:
  Periods periods_;
  Pacer pacer_;
};

}  // namespace episcope
