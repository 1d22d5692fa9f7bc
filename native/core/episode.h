// One episode: its readers, the choice of a source for each part, and the one writer of its ring.
// The twin of src/engine/js/episode.ts. Not thread-safe but for detach_ring(): one thread samples
// an episode.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "actuator.h"
#include "budget_watch.h"
#include "cgroup_reader.h"
#include "enforcement.h"
#include "failure_log.h"
#include "frame_state.h"
#include "kept_file.h"
#include "proc_reader.h"
#include "reading.h"
#include "ring_waiters.h"
#include "ring_writer.h"
#include "tripwires.h"

namespace episcope {

class Episode {
 public:
  struct Options {
    ProcReader::Options process;
    Tier tier = Tier::kAuto;
    const char* cgroup_root = nullptr;  // nullptr: /proc alone
    const char* cgroup_path = "";
    bool require_cgroupfs = true;
    uint64_t memory_stat_period_ns = 0;
  };

  /// Opens the cgroup if there is one, pins the process, binds the ring. A process that is gone is
  /// a failure only where there is no cgroup to read.
  ReadFailure open(const Options& options, ReadBuffer& buffer);
  /// The memory must stay until close() or detach_ring().
  bool bind_ring(void* memory, size_t bytes);

  /// A pid is the same process to the kernel and in the procfs that is read.
  bool has_same_pids() const { return proc_.is_open() && proc_.same_pids(); }
  /// The pinned process is a child of this process: its end is told exactly.
  void set_exit_watch(std::shared_ptr<ChildWatch> watch) { proc_.set_exit_watch(std::move(watch)); }
  /// Asks now how the pinned process ended, before somebody reaps it.
  void ask_for_exit() { static_cast<void>(proc_.root_exit()); }

  /// Looked at with every frame from now on: none is tripped.
  void set_tripwires(std::span<const Tripwire> tripwires) { tripwires_.set(tripwires); }
  /// Charged with every frame from now on. The memory of its counters must stay until close() or
  /// detach_ring(). `speeds_up`: while a threshold is tripped.
  void watch_budget(const BudgetWatch::Settings& settings, bool speeds_up);
  /// One with trip_action::kSpeedUp is tripped, or a threshold of a budget that speeds up.
  bool speed_up() const {
    return tripwires_.speed_up() || (budget_speeds_up_ && budget_.any_tripped());
  }
  /// The limit that was reached first, with the frame whose outcome was kExhausted. A resource from
  /// resource::kCount on is a tripwire's metric.
  const std::optional<Exhaustion>& exhaustion() const { return exhaustion_; }
  /// When the limit of the wall time will be reached; UINT64_MAX without one, and once any is.
  uint64_t wall_due_ns() const { return wall_due_ns_; }
  /// Moves the thresholds of the budget that were reached and not yet told to the end of `out`.
  void take_budget_trips(std::vector<BudgetTrip>& out);

  /// Its cgroup is there.
  bool has_cgroup() const { return cgroup_.is_open() && !cgroup_.removed(); }
  /// Freezes or kills everything of the episode: by its cgroup while it has one, which `outside`
  /// leaves alone.
  Action enforcement(ExhaustAction action, bool outside) const;
  /// The pinned process lives, and may not be in the cgroup whose members were killed.
  bool may_live_outside();
  /// Whether everything of the episode is frozen, or nothing of it lives. Looks now.
  bool is_enforced(ExhaustAction action, ReadBuffer& buffer);
  /// Moves the trips not yet told to the end of `out`.
  void take_trips(std::vector<Trip>& out);

  /// Reads every part and publishes one frame. Returns outcome bits.
  uint32_t sample(uint32_t flags, ReadBuffer& buffer);

  /// Publishes `given` (words, validity and the sources in its META) with the same clamps.
  uint32_t publish(const uint64_t* given, uint32_t flags);

  /// Reads the counters without publishing, the first time all else too; true when they are what
  /// the last settle saw.
  bool settle(ReadBuffer& buffer);
  /// Reads everything without publishing, while the root is gone and the end is not seen yet:
  /// whoever removes the cgroup at its end may be faster than we are.
  void remember(ReadBuffer& buffer);

  /// The process has exited and nothing of the episode lives.
  bool ended(ReadBuffer& buffer);

  /// Moves the warnings not yet told into `out` (kMaxWarnings places); returns how many.
  uint32_t take_warnings(SampleWarning* out) { return failures_.take(out); }

  /// The last frame as it is in its slot, with its seq; but the stamp, which is 0.
  const Reading& last_published() const { return last_published_; }
  void store_deadlines_missed(uint32_t missed);

  /// The pinned process had not exited when ended() looked last.
  bool root_alive() const { return root_alive_; }
  /// Readable once the pinned process has exited; −1 where there is none.
  int pidfd() const { return proc_.pidfd(); }
  /// Reads cgroup.events, so that events_fd() polls as quiet until the next change. False where it
  /// cannot be read.
  bool read_events(ReadBuffer& buffer);
  /// The kept cgroup.events; −1 before it was read, beyond the descriptor budget, without a cgroup,
  /// and once that is removed.
  int events_fd() const { return cgroup_.events_fd(); }

  /// Closes every file and lets go of the ring.
  void close();

  /// From any thread: the ring is marked as ended, and nothing is written to it any more. Waits for
  /// no more than the copy of one frame.
  void detach_ring();

 private:
  uint32_t put(Reading& frame, bool terminal);
  bool look_at_limits(const Reading& frame);
  void read_parts(uint32_t parts, ReadBuffer& buffer, Reading& reading, PartOrigin& origin);
  void log_failures();
  void log_failure(uint32_t part, const ReadFailure& failure);
  void mark_final(PartOrigin& origin);
  /// What the cgroup tells is kept for the terminal frame.
  void read_to_keep(uint32_t parts, ReadBuffer& buffer, Reading& reading);
  void restore_settled(Reading& reading, PartOrigin& origin) const;
  void note_first_cpu(const Reading& reading, ReadBuffer& buffer);
  void raise_to_exit(Reading& reading, PartOrigin& origin);
  /// What the cgroup had counted in all when the process ended, as far as that end tells.
  uint64_t cpu_by_exit(const ChildExit& exit) const;
  void judge_cgroup_io(const Reading& reading, PartOrigin& origin) const;

  CgroupReader cgroup_;
  ProcReader proc_;
  std::mutex ring_mutex_;  // of ring_ and waiters_, for who detaches
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
  int reaper_pid_ = 0;  // 0: none
  bool root_alive_ = false;

  /// Of the cgroup and of the pinned process, at the first frame: where what the process used since
  /// then can be told from its end.
  struct FirstCpu {
    uint64_t cgroup_ns = 0;
    uint64_t process_ns = 0;
  };
  std::optional<FirstCpu> first_cpu_;

  Reading settled_;
  Reading settled_totals_;  // of the cgroup, while it was there
  uint32_t settled_parts_ = 0;
  bool settling_ = false;
  FailureLog failures_;
  // Of the last read: the parts that were asked for and not to be had.
  uint32_t cgroup_failed_ = 0;
  uint32_t proc_asked_ = 0;
  uint32_t proc_failed_ = 0;
  /// Why nothing of /proc is read, where its reason is not the end of the process.
  ReadFailure proc_refused_;
  bool proc_missed_ = false;  // at the last read there was something for /proc to tell
};

}  // namespace episcope
