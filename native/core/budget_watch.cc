#include "budget_watch.h"

#include <algorithm>

#include "limits.h"

namespace episcope {

BudgetWatch::BudgetWatch(const Settings& settings) : settings_(settings) {
  if (settings.from_zero) cpu_ns_ = io_bytes_ = 0;
}

bool BudgetWatch::look(const BudgetSample& sample, std::vector<BudgetTrip>& trips) {
  const BudgetCounters& counters = settings_.counters;
  if (!counters.bound()) return false;
  charge(resource::kCpuMs, cpu_ns_, sample.cpu_ns);
  charge(resource::kIoBytes, io_bytes_, sample.io_bytes);
  if (counters.limit(resource::kWallMs)) charge_wall(sample.ts_ns);

  bool changed = false;
  for (uint32_t i = 0; i < resource::kCount; i++) {
    const std::optional<uint64_t> limit = counters.limit(i);
    if (!limit) continue;
    const BudgetTrip seen{i, *limit, counters.consumed(i), sample.seq};
    const bool tripped =
        seen.consumed >= (tripped_[i] ? settings_.releases[i] : settings_.thresholds[i]);
    if (tripped != tripped_[i]) {
      changed = true;
      tripped_[i] = tripped;
      if (tripped) trips.push_back(seen);
    }
    // A total equal to its limit is within it, but leaves nothing to continue with.
    if (seen.consumed >= seen.limit && !exhaustion_) exhaust(seen, sample.ts_ns);
  }
  last_ns_ = sample.ts_ns;
  return changed;
}

bool BudgetWatch::any_tripped() const {
  return std::any_of(std::begin(tripped_), std::end(tripped_),
                     [](bool tripped) { return tripped; });
}

uint64_t BudgetWatch::wall_due_ns() const {
  if (!settings_.counters.bound() || exhaustion_ || !last_ns_) return UINT64_MAX;
  const std::optional<uint64_t> limit = settings_.counters.limit(resource::kWallMs);
  if (!limit) return UINT64_MAX;
  const uint64_t left = saturating_sub(*limit, settings_.counters.consumed(resource::kWallMs));
  return saturating_add(*last_ns_, left);
}

void BudgetWatch::charge(uint32_t resource, std::optional<uint64_t>& charged,
                         std::optional<uint64_t> total) {
  if (!total) return;
  if (charged && *total <= *charged) return;
  if (charged) settings_.counters.add(resource, *total - *charged);
  charged = total;
}

void BudgetWatch::charge_wall(uint64_t now_ns) {
  const uint64_t wall_ns = saturating_sub(now_ns, settings_.start_ns);
  if (wall_ns <= wall_ns_) return;
  settings_.counters.add(resource::kWallMs, wall_ns - wall_ns_);
  wall_ns_ = wall_ns;
}

void BudgetWatch::exhaust(const BudgetTrip& reached, uint64_t ts_ns) {
  std::optional<uint64_t> late_ns;
  if (last_ns_) late_ns = saturating_sub(ts_ns, *last_ns_);
  // Wall time passes by itself: the excess is the time since the limit was reached.
  if (reached.resource == resource::kWallMs && late_ns) {
    late_ns = std::min(*late_ns, reached.consumed - reached.limit);
  }
  exhaustion_ = Exhaustion{reached, ts_ns, late_ns};
}

}  // namespace episcope
