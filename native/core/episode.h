// One episode: its readers, the choice of a source for each part, and the one writer of its ring.
// The twin of src/engine/js/episode.ts. Not thread-safe except for detach_ring(): one thread
// samples an episode.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "budget_watch.h"
#include "cgroup_reader.h"
#include "driven_episode.h"
#include "frame_state.h"
#include "proc_reader.h"
#include "reading.h"
#include "ring_waiters.h"
#include "ring_writer.h"

namespace episcope {

class Episode final : public DrivenEpisode {
 public:
  struct Options {
    ProcReader::Options process;
    Tier tier = Tier::kAuto;
    const char* cgroup_root = nullptr;  // nullptr: only /proc
    const char* cgroup_path = "";
    bool require_cgroupfs = true;
    uint64_t memory_stat_period_ns = 0;
  };

  /// Opens the cgroup if there is one, and pins the process. A process that is gone is a failure
  /// only if there is no cgroup to read.
  ReadFailure open(const Options& options, ReadBuffer& buffer);
  /// The memory must stay valid until close() or detach_ring().
  bool bind_ring(void* memory, size_t bytes);

  /// Whether a pid denotes the same process to the kernel and in the procfs that is read.
  bool has_same_pids() const { return proc_.is_open() && proc_.same_pids(); }
  /// For a pinned process that is a child of this process: `watch` reports its exit exactly.
  void set_exit_watch(std::shared_ptr<ChildWatch> watch) { proc_.set_exit_watch(std::move(watch)); }
  /// Charges the budget with every frame from now on. The memory of its counters must stay valid
  /// until close() or detach_ring(). `speeds_up`: samples faster while a threshold is tripped.
  void watch_budget(const BudgetWatch::Settings& settings, bool speeds_up);

  /// Publishes `given` (words, validity and the sources in its META) with the same clamps.
  uint32_t publish(const uint64_t* given, uint32_t flags) override;

  uint32_t sample(uint32_t flags, ReadBuffer& buffer) override;
  const Reading& last_published() const override { return last_published_; }
  void store_deadlines_missed(uint32_t missed) override;

  void set_tripwires(std::span<const Tripwire> tripwires) override { tripwires_.set(tripwires); }
  bool speed_up() const override {
    return tripwires_.speed_up() || (budget_speeds_up_ && budget_.any_tripped());
  }
  uint64_t wall_due_ns() const override { return wall_due_ns_; }
  const std::optional<Exhaustion>& exhaustion() const override { return exhaustion_; }
  void take_trips(std::vector<Trip>& out) override;
  void take_budget_trips(std::vector<BudgetTrip>& out) override;
  uint32_t take_warnings(SampleWarning* out) override { return failures_.take(out); }

  bool ended(ReadBuffer& buffer) override;
  bool root_alive() const override { return root_alive_; }
  bool settle(ReadBuffer& buffer) override;
  void remember(ReadBuffer& buffer) override;

  bool has_cgroup() const override { return cgroup_.is_open() && !cgroup_.removed(); }
  Action enforcement(ExhaustAction action, bool outside, bool again) override;
  bool may_live_outside() override;
  bool is_enforced(ExhaustAction action, ReadBuffer& buffer) override;

  void ask_for_exit() override { static_cast<void>(proc_.root_exit()); }
  int pidfd() const override { return proc_.pidfd(); }
  bool read_events(ReadBuffer& buffer) override;
  int events_fd() const override { return cgroup_.events_fd(); }

  void close() override;
  void detach_ring() override;

 private:
  uint32_t put(Reading& frame, bool terminal);
  bool look_at_limits(const Reading& frame);
  void read_parts(uint32_t parts, ReadBuffer& buffer, Reading& reading, PartOrigin& origin);
  void log_failures();
  void log_failure(uint32_t part, const ReadFailure& failure);
  void mark_final(PartOrigin& origin);
  /// Keeps the values of the cgroup for the terminal frame.
  void read_to_keep(uint32_t parts, ReadBuffer& buffer, Reading& reading);
  void restore_settled(Reading& reading, PartOrigin& origin) const;
  void note_first_cpu(const Reading& reading, ReadBuffer& buffer);
  void raise_to_exit(Reading& reading, PartOrigin& origin);
  /// The total that the cgroup had counted when the process exited, as far as the exit shows it.
  uint64_t cpu_by_exit(const ChildExit& exit) const;
  void judge_cgroup_io(const Reading& reading, PartOrigin& origin) const;

  CgroupReader cgroup_;
  ProcReader proc_;
  std::mutex ring_mutex_;  // guards ring_ and waiters_: any thread may detach
  RingWriter ring_;
  std::shared_ptr<RingWaiters> waiters_;
  FrameState state_;
  Tripwires tripwires_;
  std::vector<Trip> trips_;
  BudgetWatch budget_;
  bool budget_speeds_up_ = false;
  std::vector<BudgetTrip> budget_trips_;
  std::optional<Exhaustion> exhaustion_;
  uint64_t wall_due_ns_ = UINT64_MAX;
  Reading last_published_;
  Tier tier_ = Tier::kAuto;
  int reaper_pid_ = 0;  // 0 if there is none
  /// The plan of the last kill, which a repetition continues.
  std::shared_ptr<OwnedKillPlan> kill_;
  bool root_alive_ = false;

  /// The cpu of the cgroup and of the pinned process at the first frame, if the exit of the process
  /// can show what it used since then.
  struct FirstCpu {
    uint64_t cgroup_ns = 0;
    uint64_t process_ns = 0;
  };
  std::optional<FirstCpu> first_cpu_;

  Reading settled_;
  Reading settled_totals_;  // the last values of the cgroup while it existed
  uint32_t settled_parts_ = 0;
  bool settling_ = false;
  FailureLog failures_;
  // The requested parts that were unavailable in the last read.
  uint32_t cgroup_failed_ = 0;
  uint32_t proc_asked_ = 0;
  uint32_t proc_failed_ = 0;
  /// Why /proc is not read at all; empty if the reason is that the process is gone.
  ReadFailure proc_refused_;
  bool proc_missed_ = false;  // /proc had to provide a part in the last read
};

}  // namespace episcope
