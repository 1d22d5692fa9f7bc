// Charges a budget with what an episode consumes, frame by frame, and detects when a threshold or a
// limit is reached. The twin of src/budget/watch.ts; both run test/tables/budget.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "budget_counters.h"

namespace episcope {

/// The totals in one frame; nullopt if the frame has no value.
struct BudgetSample {
  uint64_t seq = 0;
  uint64_t ts_ns = 0;  // CLOCK_MONOTONIC
  std::optional<uint64_t> cpu_ns;
  std::optional<uint64_t> io_bytes;
};

/// A threshold that was reached, in counted units.
struct BudgetTrip {
  uint32_t resource = 0;
  uint64_t limit = 0;
  uint64_t consumed = 0;
  uint64_t seq = 0;
};

/// The limit that was reached first.
struct Exhaustion : BudgetTrip {
  uint64_t ts_ns = 0;
  /// How long before the frame the limit was reached at most; nullopt if the first frame reached
  /// it.
  std::optional<uint64_t> late_ns;
};

class BudgetWatch {
 public:
  struct Settings {
    BudgetCounters counters;
    /// Whether the first frame charges everything that the episode has consumed so far.
    bool from_zero = true;
    /// CLOCK_MONOTONIC at the start of the session: wall time counts from there.
    uint64_t start_ns = 0;
    /// By resource: a threshold trips at this value or above (UINT64_MAX: never) …
    uint64_t thresholds[resource::kCount] = {};
    /// … and is released below this.
    uint64_t releases[resource::kCount] = {};
  };

  BudgetWatch() = default;
  explicit BudgetWatch(const Settings& settings);

  /// Charges what was consumed since the last call; a decrease is neither charged nor refunded.
  /// Returns true if a threshold was reached or released, and appends those that were reached to
  /// `trips`. Does nothing without a budget.
  bool look(const BudgetSample& sample, std::vector<BudgetTrip>& trips);

  /// Whether a threshold was reached and not released since.
  bool any_tripped() const;
  /// The limit that was reached first.
  const std::optional<Exhaustion>& exhaustion() const { return exhaustion_; }
  /// When the limit of wall time is reached if nothing else charges wall time. UINT64_MAX without
  /// such a limit, and once any limit was reached.
  uint64_t wall_due_ns() const;

 private:
  void charge(uint32_t resource, std::optional<uint64_t>& charged, std::optional<uint64_t> total);
  void charge_wall(uint64_t now_ns);
  void exhaust(const BudgetTrip& reached, uint64_t ts_ns);

  Settings settings_;
  // The totals charged so far; nullopt if charging begins at the next value.
  std::optional<uint64_t> cpu_ns_;
  std::optional<uint64_t> io_bytes_;
  uint64_t wall_ns_ = 0;
  std::optional<uint64_t> last_ns_;
  bool tripped_[resource::kCount] = {};
  std::optional<Exhaustion> exhaustion_;
};

}  // namespace episcope
