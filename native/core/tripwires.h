// Thresholds on published values, and the actions that the sampler takes when they are reached. The
// twin of src/engine/js/tripwires.ts; both run test/tables/tripwires.txt.
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
  uint64_t threshold = 0;  // trips at this value or above
  uint64_t release = 0;    // is released below this value
};

struct Trip {
  uint32_t index = 0;
  uint64_t value = 0;
  uint64_t seq = 0;
};

class Tripwires {
 public:
  /// Replaces all tripwires, none of which is tripped then. Ignores those beyond kMaxTripwires.
  void set(std::span<const Tripwire> tripwires);

  /// Checks a frame that is about to be published; an absent metric changes nothing. Returns true
  /// if a tripwire tripped or was released, and appends those that tripped and have kNotify to
  /// `trips`.
  bool look(const Reading& frame, uint64_t seq, std::vector<Trip>& trips);

  /// Whether a tripwire with kSpeedUp is tripped.
  bool speed_up() const;

  /// The first tripwire with kExhaust that tripped, and the value that tripped it.
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

/// Returns the value of a metric in a frame, or nullopt if the frame does not have it.
std::optional<uint64_t> trip_metric_of(uint32_t metric, const Reading& frame);

}  // namespace episcope
