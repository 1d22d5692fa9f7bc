// The absolute deadlines of one episode: anchor + k × period on CLOCK_MONOTONIC, whatever a sample
// costs, so that they never drift. The twin of src/engine/js/pacer.ts; both run
// test/tables/pacer.txt.
#pragma once

#include <cstdint>

#include "schema.h"

namespace episcope {

class Pacer {
 public:
  /// The first frame was taken, and it is `now` after it: the first deadline is the first of
  /// anchor + k × period in the future, and those that passed before it are missed.
  void start(uint64_t anchor_ns, uint64_t period_ns, uint64_t now_ns);

  uint64_t deadline_ns() const { return deadline_ns_; }

  /// Whether a wake at `now` serves the deadline: it has come, or comes within the slack, a 64th of
  /// the period and at most kMaxPacerSlackNs. One wake so serves what is due at about the same
  /// time.
  bool due(uint64_t now_ns) const;

  /// The deadline was served, and it is `now` after it: the next is the first one in the future.
  /// Those that passed meanwhile are missed, never made up for.
  void served(uint64_t now_ns);

  /// Another period, counted from the last deadline that passed (or the anchor). A next deadline
  /// that would have passed is due at once. Nothing is missed by it.
  void set_period(uint64_t period_ns, uint64_t now_ns);

  uint64_t period_ns() const { return period_ns_; }
  /// Deadlines that passed without a sample of their own, at most 2^32 − 1.
  uint32_t missed() const { return missed_; }

 private:
  void advance(uint64_t now_ns);

  uint64_t last_ns_ = 0;  // the last deadline that was served or missed
  uint64_t deadline_ns_ = 0;
  uint64_t period_ns_ = 0;
  uint32_t missed_ = 0;
};

}  // namespace episcope
