// Plain thresholds on published values, and what the sampler does about them by itself. The twin of
// src/engine/js/tripwires.ts; both run test/tables/tripwires.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reading.h"

namespace episcope {

/// What a tripwire looks at (TRIP_METRICS in src/engine/engine.ts).
namespace trip_metric {
inline constexpr uint32_t kCpuNs = 0;
inline constexpr uint32_t kIoBytes = 1;  // read + written
inline constexpr uint32_t kMemRssBytes = 2;
}  // namespace trip_metric

/// TripAction in src/engine/engine.ts, as bits.
namespace trip_action {
inline constexpr uint32_t kSpeedUp = 1;
inline constexpr uint32_t kNotify = 2;
inline constexpr uint32_t kExhaust = 4;
}  // namespace trip_action

struct Tripwire {
  uint32_t metric = 0;
  uint32_t actions = 0;
  uint64_t threshold = 0;  // trips at this and above
  uint64_t release = 0;    // is released below this
};

struct Trip {
  uint32_t index = 0;
  uint64_t value = 0;
  uint64_t seq = 0;
};

class Tripwires {
 public:
  static constexpr uint32_t kMost = 16;

  /// Replaces them all: none is tripped. Beyond kMost there are none.
  void set(std::span<const Tripwire> tripwires);

  /// Looks at a frame that is about to be published; a metric that is absent changes nothing. True
  /// when one tripped or was released. Those that tripped, with kNotify, are added to `trips`.
  bool look(const Reading& frame, uint64_t seq, std::vector<Trip>& trips);

  /// One with kSpeedUp is tripped.
  bool speed_up() const;

  /// What the first with kExhaust that tripped saw.
  struct Exhausted {
    uint32_t metric = 0;
    uint64_t threshold = 0;
    uint64_t value = 0;
  };
  const std::optional<Exhausted>& exhausted() const { return exhausted_; }

 private:
  struct State {
    Tripwire wire;
    bool tripped = false;
  };
  State states_[kMost];
  uint32_t count_ = 0;
  std::optional<Exhausted> exhausted_;
};

/// The value in a frame; none: the frame does not have it.
std::optional<uint64_t> trip_metric_of(uint32_t metric, const Reading& frame);

}  // namespace episcope
