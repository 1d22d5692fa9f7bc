// An episode as its state machine drives it: what SampledEpisode and its parts need from the
// readers and the ring. Implemented by Episode, and in the tests of the state machine by a scripted
// episode. The twin of src/engine/js/driven-episode.ts.
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
  /// The last frame as it is in its slot, including its seq, except that the stamp is 0.
  virtual const Reading& last_published() const = 0;
  virtual void store_deadlines_missed(uint32_t missed) = 0;

  /// Replaces all tripwires with untripped ones, which are checked with every frame from now on.
  virtual void set_tripwires(std::span<const Tripwire> tripwires) = 0;
  /// Whether a tripwire with trip_action::kSpeedUp or a threshold of a budget that speeds up is
  /// tripped.
  virtual bool speed_up() const = 0;
  /// When the limit of wall time will be reached; UINT64_MAX without such a limit, and once any
  /// limit was reached.
  virtual uint64_t wall_due_ns() const = 0;
  /// The limit that was reached first, set from the frame whose outcome was kExhausted. A resource
  /// of resource::kCount or above denotes a tripwire's metric.
  virtual const std::optional<Exhaustion>& exhaustion() const = 0;
  /// Appends the trips not reported yet to `out` and forgets them.
  virtual void take_trips(std::vector<Trip>& out) = 0;
  virtual void take_budget_trips(std::vector<BudgetTrip>& out) = 0;
  /// Moves the warnings not reported yet into `out` (room for kMaxWarnings); returns their number.
  virtual uint32_t take_warnings(SampleWarning* out) = 0;

  /// Whether the root and all other members of the episode have exited.
  virtual bool ended(ReadBuffer& buffer) = 0;
  /// Whether the pinned process was alive at the last call of ended().
  virtual bool root_alive() const = 0;
  /// Reads the counters without publishing; the first call reads everything else too. Returns true
  /// if they equal those of the last settle().
  virtual bool settle(ReadBuffer& buffer) = 0;
  /// Reads everything without publishing, once the root is gone and until the end is detected: the
  /// cgroup may be removed at the end before it is read again.
  virtual void remember(ReadBuffer& buffer) = 0;

  /// Whether the episode has a cgroup that still exists.
  virtual bool has_cgroup() const = 0;
  /// Returns the action that freezes or kills all processes of the episode: through its cgroup
  /// while it has one, unless `outside`. With `again`, continues a kill that left processes.
  virtual Action enforcement(ExhaustAction action, bool outside, bool again) = 0;
  /// Whether the root is alive, and possibly outside the cgroup whose members were killed.
  virtual bool may_live_outside() = 0;
  /// Checks now whether all processes of the episode are frozen or have exited.
  virtual bool is_enforced(ExhaustAction action, ReadBuffer& buffer) = 0;

  /// Reads how the root exited, before it is reaped.
  virtual void ask_for_exit() = 0;
  /// Readable once the pinned process has exited; −1 if there is none.
  virtual int pidfd() const = 0;
  /// Reads cgroup.events, so that events_fd() polls as quiet until the next change. Returns false
  /// if it cannot be read.
  virtual bool read_events(ReadBuffer& buffer) = 0;
  /// The kept cgroup.events; −1 before it was read, beyond the descriptor budget, without a cgroup,
  /// and once that is removed.
  virtual int events_fd() const = 0;

  /// Closes every file and releases the ring.
  virtual void close() = 0;
  /// From any thread: marks the ring as ended and writes nothing to it any more. Waits for at most
  /// the copy of one frame.
  virtual void detach_ring() = 0;
};

}  // namespace episcope
