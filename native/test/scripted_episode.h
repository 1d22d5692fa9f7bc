// An episode for the state machine alone: a test says whether it lives and what its frames find.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "../core/clock.h"
#include "../core/driven_episode.h"

namespace episcope::test {

/// What the test says, and what was done to the episode. It outlives the episode.
struct Script {
  uint64_t* now_ns = nullptr;
  bool ended = false;
  bool root_gone = false;
  bool has_cgroup = true;
  bool lives_outside = false;
  bool enforced = false;
  bool counters_move = false;
  bool speed_up = false;
  uint32_t outcome = 0;  // of the next frame
  uint64_t wall_due_ns = UINT64_MAX;
  uint64_t cost_ns = 0;  // of a frame
  std::optional<Exhaustion> exhaustion;

  struct Acted {
    ExhaustAction action = ExhaustAction::kStop;
    bool outside = false;
  };
  std::vector<uint32_t> frames;  // flags
  std::vector<uint64_t> looked_ns;
  std::vector<uint64_t> remembered_ns;
  std::vector<uint64_t> settled_ns;
  std::vector<Acted> acted;
  uint32_t missed = 0;
};

class ScriptedEpisode final : public DrivenEpisode {
 public:
  explicit ScriptedEpisode(Script* script) : script_(*script) {}

  uint32_t sample(uint32_t flags, ReadBuffer& buffer) override;
  uint32_t publish(const uint64_t* given, uint32_t flags) override;
  const Reading& last_published() const override { return last_; }
  void store_deadlines_missed(uint32_t missed) override { script_.missed = missed; }

  void set_tripwires(std::span<const Tripwire>) override {}
  bool speed_up() const override { return script_.speed_up; }
  uint64_t wall_due_ns() const override { return script_.wall_due_ns; }
  const std::optional<Exhaustion>& exhaustion() const override { return script_.exhaustion; }
  void take_trips(std::vector<Trip>&) override {}
  void take_budget_trips(std::vector<BudgetTrip>&) override {}
  uint32_t take_warnings(SampleWarning*) override { return 0; }

  bool ended(ReadBuffer& buffer) override;
  bool root_alive() const override { return !script_.root_gone; }
  bool settle(ReadBuffer& buffer) override;
  void remember(ReadBuffer& buffer) override;

  bool has_cgroup() const override { return script_.has_cgroup; }
  Action enforcement(ExhaustAction action, bool outside, bool again) override;
  bool may_live_outside() override { return script_.lives_outside; }
  bool is_enforced(ExhaustAction, ReadBuffer&) override { return script_.enforced; }

  void ask_for_exit() override {}
  int pidfd() const override { return -1; }
  bool read_events(ReadBuffer&) override { return false; }
  int events_fd() const override { return -1; }

  void close() override {}
  void detach_ring() override {}

 private:
  Script& script_;
  Reading last_;
};

}  // namespace episcope::test
