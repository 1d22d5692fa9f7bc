// Charges a budget with what an episode consumes, frame by frame, and says when a threshold or a
// limit is reached. The twin of src/budget/watch.ts; both run test/tables/budget.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "budget_counters.h"

namespace episcope {

/// The totals of one frame; none for what it does not know.
struct BudgetSample {
  uint64_t seq = 0;
  uint64_t ts_ns = 0;  // CLOCK_MONOTONIC
  std::optional<uint64_t> cpu_ns;
  std::optional<uint64_t> io_bytes;
};

/// A threshold was reached. Counted units.
struct BudgetTrip {
  uint32_t resource = 0;
  uint64_t limit = 0;
  uint64_t consumed = 0;
  uint64_t seq = 0;
};

/// The limit that was reached first.
struct Exhaustion : BudgetTrip {
  uint64_t ts_ns = 0;
  /// How long before the frame at most; none where the first frame reached it.
  std::optional<uint64_t> late_ns;
};

class BudgetWatch {
 public:
  struct Settings {
    BudgetCounters counters;
    /// All that the episode consumed so far is charged with the first frame; else none of it.
    bool from_zero = true;
    /// CLOCK_MONOTONIC at the start of the session: wall time counts from there.
    uint64_t start_ns = 0;
    /// By resource: trips at this and above (UINT64_MAX: never) …
    uint64_t thresholds[resource::kCount] = {};
    /// … and is released below this.
    uint64_t releases[resource::kCount] = {};
  };

  BudgetWatch() = default;
  explicit BudgetWatch(const Settings& settings);

  /// Charges what was consumed since the look before: nothing twice, nothing negatively. True when
  /// a threshold was reached or released. Those that were reached are added to `trips`. Without a
  /// budget nothing happens.
  bool look(const BudgetSample& sample, std::vector<BudgetTrip>& trips);

  /// A threshold is reached and not released.
  bool any_tripped() const;
  /// The limit that was reached first, from the look on that saw it.
  const std::optional<Exhaustion>& exhaustion() const { return exhaustion_; }
  /// When the limit of the wall time is reached if nobody else charges any; UINT64_MAX without one,
  /// and once any is.
  uint64_t wall_due_ns() const;

 private:
  void charge(uint32_t resource, std::optional<uint64_t>& charged, std::optional<uint64_t> total);
  void charge_wall(uint64_t now_ns);
  void exhaust(const BudgetTrip& reached, uint64_t ts_ns);

  Settings settings_;
  // What is charged already; none: the next value is where charging begins.
  std::optional<uint64_t> cpu_ns_;
  std::optional<uint64_t> io_bytes_;
  uint64_t wall_ns_ = 0;
  std::optional<uint64_t> last_ns_;
  bool tripped_[resource::kCount] = {};
  std::optional<Exhaustion> exhaustion_;
};

}  // namespace episcope
