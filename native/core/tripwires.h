// Plain thresholds on published values, and what the sampler does about them by itself. The twin of
// src/engine/js/tripwires.ts; both run test/tables/tripwires.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reading.h"

namespace episcope {

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
  /// Replaces them all: none is tripped. Beyond kMaxTripwires there are none.
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
  State states_[kMaxTripwires];
  uint32_t count_ = 0;
  std::optional<Exhausted> exhausted_;
};

/// The value in a frame; none: the frame does not have it.
std::optional<uint64_t> trip_metric_of(uint32_t metric, const Reading& frame);

}  // namespace episcope
