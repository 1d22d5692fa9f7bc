// The absolute deadlines of one episode: anchor + k × period on CLOCK_MONOTONIC. They do not drift,
// however long a sample takes. The twin of src/engine/js/pacer.ts; both run
// test/tables/pacer.txt.
#pragma once

#include <cstdint>

#include "schema.h"

namespace episcope {

class Pacer {
 public:
  /// Starts at `now`, after the first frame was taken. The first deadline is the first anchor + k ×
  /// period in the future; those that have passed count as missed.
  void start(uint64_t anchor_ns, uint64_t period_ns, uint64_t now_ns);

  uint64_t deadline_ns() const { return deadline_ns_; }

  /// Whether a wake at `now` serves the deadline: it has passed, or is within the slack of 1/64 of
  /// the period, at most kMaxPacerSlackNs. So one wake serves all deadlines at about the same time.
  bool due(uint64_t now_ns) const;

  /// Records at `now` that the deadline was served. The next deadline is the first one in the
  /// future; those that have passed count as missed and are not made up for.
  void served(uint64_t now_ns);

  /// Changes the period, counted from the last deadline that passed, or from the anchor. If the
  /// next deadline would have passed, it is due at once. No deadline counts as missed.
  void set_period(uint64_t period_ns, uint64_t now_ns);

  uint64_t period_ns() const { return period_ns_; }
  /// Number of deadlines that passed without a sample, at most 2^32 − 1.
  uint32_t missed() const { return missed_; }

 private:
  void advance(uint64_t now_ns);

  uint64_t last_ns_ = 0;  // the last deadline that was served or missed
  uint64_t deadline_ns_ = 0;
  uint64_t period_ns_ = 0;
  uint32_t missed_ = 0;
};

}  // namespace episcope
