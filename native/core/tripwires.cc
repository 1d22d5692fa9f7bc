#include "tripwires.h"

#include <algorithm>
#include <optional>

#include "limits.h"

namespace episcope {
std::optional<uint64_t> trip_metric_of(uint32_t metric, const Reading& frame) {
  const auto word = [&frame](uint32_t w) {
    return frame.has(w) ? std::optional(frame.get(w)) : std::nullopt;
  };
  switch (metric) {
    case trip_metric::kCpuNs:
      return word(word::kCpuNs);
    case trip_metric::kIoBytes:
      if (!frame.has(word::kIoReadBytes) || !frame.has(word::kIoWriteBytes)) return std::nullopt;
      return saturating_add(frame.get(word::kIoReadBytes), frame.get(word::kIoWriteBytes));
    case trip_metric::kMemRssBytes:
      return word(word::kMemRssBytes);
    default:
      return std::nullopt;
  }
}

void Tripwires::set(std::span<const Tripwire> tripwires) {
  count_ = static_cast<uint32_t>(std::min<size_t>(tripwires.size(), kMaxTripwires));
  for (uint32_t i = 0; i < count_; i++) states_[i] = {tripwires[i]};
}

bool Tripwires::look(const Reading& frame, uint64_t seq, std::vector<Trip>& trips) {
  bool changed = false;
  for (uint32_t i = 0; i < count_; i++) {
    State& state = states_[i];
    const std::optional<uint64_t> value = trip_metric_of(state.wire.metric, frame);
    if (!value) continue;
    const bool tripped =
        state.tripped ? *value >= state.wire.release : *value >= state.wire.threshold;
    if (tripped == state.tripped) continue;
    state.tripped = tripped;
    changed = true;
    if (tripped && (state.wire.actions & trip_action::kNotify) != 0) {
      trips.push_back({i, *value, seq});
    }
    if (tripped && !exhausted_ && (state.wire.actions & trip_action::kExhaust) != 0) {
      exhausted_ = {state.wire.metric, state.wire.threshold, *value};
    }
  }
  return changed;
}

bool Tripwires::speed_up() const {
  return std::any_of(states_, states_ + count_, [](const State& state) {
    return state.tripped && (state.wire.actions & trip_action::kSpeedUp) != 0;
  });
}

}  // namespace episcope
