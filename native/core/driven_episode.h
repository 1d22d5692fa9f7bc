// An episode as its state machine drives it: what SampledEpisode and its parts ask of the readers
// and the ring. Episode implements it; the tests of the state machine put a scripted one in its
// place. The twin of src/engine/js/driven-episode.ts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "actuator.h"
#include "budget_watch.h"
#include "failure_log.h"
#include "kept_file.h"
#include "reading.h"
#include "tripwires.h"

namespace episcope {

class DrivenEpisode {
 public:
  virtual ~DrivenEpisode() = default;

  /// Reads every part and publishes one frame. Returns outcome bits.
  virtual uint32_t sample(uint32_t flags, ReadBuffer& buffer) = 0;
  /// Publishes `given` (words, validity, and the sources in its META) instead of reading.
  virtual uint32_t publish(const uint64_t* given, uint32_t flags) = 0;
  /// The last frame as it is in its slot, including its seq; but the stamp, which is 0.
  virtual const Reading& last_published() const = 0;
  virtual void store_deadlines_missed(uint32_t missed) = 0;

  /// Replaces all tripwires; none is tripped. They are checked with every frame from now on.
  virtual void set_tripwires(std::span<const Tripwire> tripwires) = 0;
  /// A tripwire with trip_action::kSpeedUp is tripped, or a threshold of a budget that speeds up.
  virtual bool speed_up() const = 0;
  /// When the limit of the wall time will be reached; UINT64_MAX without one, and once any limit
  /// is reached.
  virtual uint64_t wall_due_ns() const = 0;
  /// The limit that was reached first, from the frame whose outcome was kExhausted. A resource from
  /// resource::kCount on is a tripwire's metric.
  virtual const std::optional<Exhaustion>& exhaustion() const = 0;
  /// Moves what has not been reported yet to the end of `out`.
  virtual void take_trips(std::vector<Trip>& out) = 0;
  virtual void take_budget_trips(std::vector<BudgetTrip>& out) = 0;
  /// Moves the warnings not reported yet into `out` (room for kMaxWarnings); returns their number.
  virtual uint32_t take_warnings(SampleWarning* out) = 0;

  /// Whether the root and all other members of the episode have exited.
  virtual bool ended(ReadBuffer& buffer) = 0;
  /// The pinned process had not exited when ended() looked last.
  virtual bool root_alive() const = 0;
  /// Reads the counters without publishing, the first time everything else too; true when they are
  /// what the last settle() read.
  virtual bool settle(ReadBuffer& buffer) = 0;
  /// Reads everything without publishing, while the root is gone and the end is not seen yet: the
  /// cgroup may be removed at its end before it is read again.
  virtual void remember(ReadBuffer& buffer) = 0;

  /// Its cgroup exists.
  virtual bool has_cgroup() const = 0;
  /// Freezes or kills everything of the episode: through its cgroup while it has one, unless
  /// `outside`. `again`: a kill that left processes continues.
  virtual Action enforcement(ExhaustAction action, bool outside, bool again) = 0;
  /// Whether the root is alive, and possibly outside the cgroup whose members were killed.
  virtual bool may_live_outside() = 0;
  /// Checks now whether all processes of the episode are frozen or have exited.
  virtual bool is_enforced(ExhaustAction action, ReadBuffer& buffer) = 0;

  /// Reads how the root exited, before it is reaped.
  virtual void ask_for_exit() = 0;
  /// Readable once the pinned process has exited; −1 where there is none.
  virtual int pidfd() const = 0;
  /// Reads cgroup.events, so that events_fd() polls as quiet until the next change. False where it
  /// cannot be read.
  virtual bool read_events(ReadBuffer& buffer) = 0;
  /// The kept cgroup.events; −1 before it was read, beyond the descriptor budget, without a cgroup,
  /// and once that is removed.
  virtual int events_fd() const = 0;

  /// Closes every file and releases the ring.
  virtual void close() = 0;
  /// From any thread: the ring is marked as ended, and nothing is written to it any more. Waits for
  /// no more than the copy of one frame.
  virtual void detach_ring() = 0;
};

}  // namespace episcope
