#include "episode.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "clock.h"
#include "limits.h"
#include "process_figures.h"

namespace episcope {
namespace {

constexpr uint32_t kMeasured = part::kCpu | part::kMemory | part::kIo;
constexpr uint32_t kTotals[] = {0, 2};  // indices of the parts that settle: cpu, io
using part::kExtraIndex;
using part::kMemoryIndex;

/// Whether the exit of a process reports all cpu time that its cgroup counted: no other process was
/// in the cgroup. The first reads of the two are some time apart, and the cgroup also counts the
/// last steps of dying processes.
bool tells_all(uint64_t told_ns, uint64_t counted_ns) {
  constexpr uint64_t kApartNs = 1'000'000;
  return counted_ns <= saturating_add(told_ns, kApartNs + told_ns / 100);
}

}  // namespace

ReadFailure Episode::open(const Options& options, ReadBuffer& buffer) {
  tier_ = options.tier;
  reaper_pid_ = options.process.reaper_pid;
  if (options.cgroup_root != nullptr && tier_ != Tier::kProc) {
    const ReadFailure failure =
        cgroup_.open(options.cgroup_root, options.cgroup_path, options.require_cgroupfs);
    if (failure) return failure;
    cgroup_.set_memory_stat_period(options.memory_stat_period_ns);
  }
  const ReadFailure failure = proc_.open(options.process, buffer);
  if (failure && (!cgroup_.is_open() || failure.code == ReadCode::kInvalidPid)) return failure;
  // A process that is gone is reported by the end of the episode.
  if (failure.code == ReadCode::kProcNotAvailable) proc_refused_ = failure;
  return {};
}

uint32_t Episode::sample(uint32_t flags, ReadBuffer& buffer) {
  const uint64_t begin = monotonic_ns();
  // Checked before the counters are read, so that they include all that the end added: an oom kill
  // is counted before the victim's pidfd fires (docs/kernel.md#memory).
  const bool has_ended = ended(buffer);
  if (has_ended && (flags & kSampleHoldIfEnded) != 0) return outcome::kEnded;

  Reading reading;
  PartOrigin origin;
  const bool terminal = (flags & flag::kTerminal) != 0;
  if (terminal) cgroup_.expire_memory_stat();
  reading.set(word::kTsMono, monotonic_ns());
  read_parts(part::kAll, buffer, reading, origin);
  if ((flags & flag::kInitial) != 0) note_first_cpu(reading, buffer);
  if (terminal) {
    mark_final(origin);
    restore_settled(reading, origin);
    raise_to_exit(reading, origin);
    judge_cgroup_io(reading, origin);
  }
  log_failures();

  const bool source_changed = state_.apply(reading, origin, flags);
  reading.set(word::kCollectNs, saturating_sub(monotonic_ns(), begin));
  uint32_t result = put(reading, terminal);
  if (source_changed) result |= outcome::kSourceChanged;
  if (has_ended) result |= outcome::kEnded;
  if (failures_.pending()) result |= outcome::kWarning;
  return result;
}

uint32_t Episode::publish(const uint64_t* given, uint32_t flags) {
  Reading reading;
  std::memcpy(reading.words, given, sizeof reading.words);
  const uint64_t meta = reading.get(word::kMeta);
  PartOrigin origin;
  for (uint32_t p = 0; p < 3; p++) {
    origin.source[p] = static_cast<uint32_t>(meta >> (meta_shift::kSourceCpu + 2 * p)) & 3;
  }
  reading.set(word::kTsMono, monotonic_ns());
  const bool source_changed = state_.apply(reading, origin, flags);
  uint32_t result = put(reading, false);
  if (source_changed) result |= outcome::kSourceChanged;
  return result;
}

/// Checks the tripwires and the budget, and writes the frame into the ring. Returns outcome bits.
uint32_t Episode::put(Reading& frame, bool terminal) {
  uint32_t result = 0;
  std::shared_ptr<RingWaiters> waiters;
  {
    const std::lock_guard lock(ring_mutex_);
    if (!ring_.bound()) return 0;
    const uint64_t seq = ring_.seq();
    frame.words[word::kSeq] = seq;
    const bool tripped = tripwires_.look(frame, seq, trips_);
    const bool crossed =
        budget_.look({seq, frame.get(word::kTsMono), trip_metric_of(trip_metric::kCpuNs, frame),
                      trip_metric_of(trip_metric::kIoBytes, frame)},
                     budget_trips_);
    if (tripped || crossed) result |= outcome::kTripped;
    if (!exhaustion_ && look_at_limits(frame)) result |= outcome::kExhausted;
    wall_due_ns_ = exhaustion_ ? UINT64_MAX : budget_.wall_due_ns();
    if (speed_up()) frame.set(word::kMeta, frame.get(word::kMeta) | flag::kHighFrequency);
    ring_.publish(frame);
    if (terminal) ring_.end();
    waiters = waiters_;
  }
  waiters->wake();
  last_published_ = frame;
  return result;
}

/// Returns true if a limit is reached for the first time.
bool Episode::look_at_limits(const Reading& frame) {
  const std::optional<Tripwires::Exhausted>& tripwire = tripwires_.exhausted();
  exhaustion_ = budget_.exhaustion();
  if (exhaustion_ || !tripwire) return exhaustion_.has_value();
  exhaustion_.emplace();
  exhaustion_->resource = resource::kCount + tripwire->metric;
  exhaustion_->limit = tripwire->threshold;
  exhaustion_->consumed = tripwire->value;
  exhaustion_->seq = frame.get(word::kSeq);
  exhaustion_->ts_ns = frame.get(word::kTsMono);
  if (exhaustion_->seq > 0) {
    exhaustion_->late_ns = saturating_sub(exhaustion_->ts_ns, last_published_.get(word::kTsMono));
  }
  return true;
}

void Episode::watch_budget(const BudgetWatch::Settings& settings, bool speeds_up) {
  budget_ = BudgetWatch(settings);
  budget_speeds_up_ = speeds_up;
}

Action Episode::enforcement(ExhaustAction action, bool outside, bool again) {
  Action enforcement;
  if (action == ExhaustAction::kFreeze) {
    enforcement.file = "cgroup.freeze";
    enforcement.text.assign(1, '1');
    enforcement.directory_fd = OwnedDescriptor::duplicate(cgroup_.directory_fd());
    return enforcement;
  }
  if (!again) {
    KillPlan plan;
    plan.may_signal = !proc_.is_open() || proc_.same_pids();
    if (has_cgroup() && !outside) {
      plan.may_signal = plan.may_signal && cgroup_.is_cgroupfs();
      plan.cgroup_fd = fcntl(cgroup_.directory_fd(), F_DUPFD_CLOEXEC, 0);
    }
    // Also if no descriptor is left for the cgroup.
    if (plan.cgroup_fd < 0) {
      plan.processes = proc_.known();
      if (reaper_pid_ != 0) plan.reapers = {reaper_pid_};
    }
    kill_ = std::make_shared<OwnedKillPlan>(std::move(plan));
  }
  enforcement.kill = kill_;
  return enforcement;
}

bool Episode::may_live_outside() {
  return has_cgroup() && cgroup_.is_cgroupfs() && proc_.is_open() && proc_.root_alive();
}

bool Episode::is_enforced(ExhaustAction action, ReadBuffer& buffer) {
  if (action == ExhaustAction::kFreeze) return has_cgroup() && cgroup_.frozen(buffer);
  // With a reaper, the episode has ended once all its processes have been reaped.
  if (reaper_pid_ != 0) return ended(buffer);
  if (has_cgroup()) {
    const Populated populated = cgroup_.populated(buffer);
    if (has_cgroup()) return populated == Populated::kNo && !may_live_outside();
  }
  if (!proc_.is_open()) return true;
  proc_.set_members(nullptr);
  Reading unused;
  proc_.read(part::kCpu, buffer, unused);
  return proc_.live_members() == 0;
}

bool Episode::bind_ring(void* memory, size_t bytes) {
  const std::lock_guard lock(ring_mutex_);
  if (!ring_.bind(memory, bytes)) return false;
  waiters_ = RingWaiters::of(memory);
  return true;
}

void Episode::store_deadlines_missed(uint32_t missed) {
  const std::lock_guard lock(ring_mutex_);
  if (ring_.bound()) ring_.store_deadlines_missed(missed);
}

void Episode::detach_ring() {
  std::shared_ptr<RingWaiters> waiters;
  {
    const std::lock_guard lock(ring_mutex_);
    if (!ring_.bound()) return;
    ring_.end();
    ring_ = {};
    waiters = std::move(waiters_);
  }
  waiters->wake();
}

void Episode::close() {
  cgroup_.close();
  proc_.close();
  const std::lock_guard lock(ring_mutex_);
  ring_ = {};
  waiters_.reset();
}

void Episode::take_budget_trips(std::vector<BudgetTrip>& out) {
  out.insert(out.end(), budget_trips_.begin(), budget_trips_.end());
  budget_trips_.clear();
}

void Episode::take_trips(std::vector<Trip>& out) {
  out.insert(out.end(), trips_.begin(), trips_.end());
  trips_.clear();
}

bool Episode::read_events(ReadBuffer& buffer) {
  return cgroup_.is_open() && cgroup_.populated(buffer) != Populated::kUnknown;
}

void Episode::read_parts(uint32_t parts, ReadBuffer& buffer, Reading& reading, PartOrigin& origin) {
  uint32_t got = 0;
  cgroup_failed_ = 0;
  proc_asked_ = 0;
  proc_failed_ = 0;
  if (has_cgroup()) {
    const uint32_t asked = tier_ == Tier::kLeaf ? parts & (part::kCpu | part::kExtra) : parts;
    got = cgroup_.read(asked, monotonic_ns(), buffer, reading);
    cgroup_failed_ = asked & ~got;
    for (uint32_t p = 0; p < 3; p++) {
      if ((got >> p & 1) != 0) origin.source[p] = source::kCgroup;
    }
    if ((got & part::kMemory) != 0 && cgroup_.memory_stat_carried()) {
      origin.quality[1] |= quality::kStale;
    }
  }
  proc_missed_ = false;
  if (tier_ == Tier::kCgroup) return;

  uint32_t missing = parts & kMeasured & ~got;
  proc_missed_ = missing != 0;
  if (!proc_.is_open()) return;
  if (missing == 0) return;
  if ((parts & part::kExtra) != 0 && !reading.has(word::kPids)) missing |= part::kExtra;
  // The cgroup determines the members while it exists, and parentage afterwards.
  const bool leaf_lives = has_cgroup();
  proc_.set_members(leaf_lives ? &cgroup_ : nullptr);
  const uint32_t from_proc = proc_.read(missing, buffer, reading);
  proc_asked_ = missing;
  proc_failed_ = missing & ~from_proc;
  for (uint32_t p = 0; p < 3; p++) {
    if ((missing & from_proc) >> p & 1) {
      origin.source[p] = source::kProc;
      origin.quality[p] |= proc_.quality(p);
    }
  }
}

// A part of the terminal frame is final if nothing can be counted after its read: always from the
// cgroup, and from /proc if the process is still alive or we reap the tree ourselves.
void Episode::mark_final(PartOrigin& origin) {
  for (uint32_t p = 0; p < 3; p++) {
    const bool final =
        origin.source[p] == source::kCgroup ||
        (origin.source[p] == source::kProc && (proc_.totals_exact() || proc_.root_alive()));
    if (final) origin.quality[p] |= quality::kFinal;
  }
}

// systemd removes a cgroup while its totals still settle: the values of its last read are then
// used, not those that /proc still has, nor the last frame.
void Episode::restore_settled(Reading& reading, PartOrigin& origin) const {
  for (uint32_t p = 0; p < 3; p++) {
    if ((settled_parts_ >> p & 1) == 0 || origin.source[p] == source::kCgroup) continue;
    reading.take_part(settled_totals_, p);
    origin.source[p] = source::kCgroup;
    origin.quality[p] = quality::kStale;
    // The kernel may have accounted for dead processes later.
    if (p != kMemoryIndex) origin.quality[p] |= quality::kLowerBound;
  }
  if ((settled_parts_ & part::kExtra) != 0 && cgroup_.removed()) {
    reading.take_part(settled_totals_, kExtraIndex);
  }
}

void Episode::note_first_cpu(const Reading& reading, ReadBuffer& buffer) {
  FirstCpu first;
  if (!has_cgroup() || !reading.has(word::kCpuNs) || !proc_.root_cpu(buffer, first.process_ns)) {
    return;
  }
  first.cgroup_ns = reading.get(word::kCpuNs);
  first_cpu_ = first;
}

// At the exit of the process the kernel reports its peak memory and, if the cgroup was removed
// before the last read, more cpu time than was read from the cgroup.
void Episode::raise_to_exit(Reading& reading, PartOrigin& origin) {
  const std::optional<ChildExit> exit = proc_.root_exit();
  if (!exit) return;
  state_.raise_peak_of_processes(exit->peak_bytes);
  if (!first_cpu_ || !cgroup_.removed()) return;
  uint64_t read = state_.published().get(word::kCpuNs);
  if ((settled_parts_ & part::kCpu) != 0) {
    read = std::max(read, settled_totals_.get(word::kCpuNs));
  } else {
    // Ignores what /proc has counted since the cgroup was removed.
    reading.take_part(state_.published(), 0);
  }
  const uint64_t told = cpu_by_exit(*exit);
  state_.raise(word::kCpuNs, std::max(told, read));
  origin.source[0] = source::kCgroup;
  // The cgroup would also have counted the last steps of dying processes, and processes that were
  // not reaped below this one.
  origin.quality[0] = quality::kLowerBound | (tells_all(told, read) ? 0 : quality::kStale);
}

uint64_t Episode::cpu_by_exit(const ChildExit& exit) const {
  Observation used;
  observe_rusage(exit.usage, used);
  const uint64_t since_first = saturating_sub(used.reaped[channel::kCpu], first_cpu_->process_ns);
  return saturating_add(first_cpu_->cgroup_ns, since_first);
}

// A buffered write is counted when it is written back, possibly after the end, and for the cgroup
// that owns the inode, possibly another one. The last figure is final only if everything that was
// dirtied has been written back here.
void Episode::judge_cgroup_io(const Reading& reading, PartOrigin& origin) const {
  if (origin.source[2] != source::kCgroup) return;
  const std::optional<ChildExit> exit = proc_.root_exit();
  if (exit && first_cpu_ && tells_all(cpu_by_exit(*exit), reading.get(word::kCpuNs))) {
    Observation used;
    observe_rusage(exit->usage, used);
    if (used.reaped[channel::kIoWrite] <= reading.get(word::kIoWriteBytes)) return;
  }
  origin.quality[2] &= ~quality::kFinal;
  origin.quality[2] |= quality::kLowerBound;
}

void Episode::log_failures() {
  failures_.begin();
  for (uint32_t p = 0; p < 3; p++) {
    if ((cgroup_failed_ >> p & 1) != 0) log_failure(p, cgroup_.failure(p));
  }
  if ((cgroup_failed_ & part::kExtra) != 0) {
    for (const ReadFailure& failure : cgroup_.extra_failures()) log_failure(3, failure);
  }
  for (uint32_t p = 0; p < part::kCount; p++) {
    if ((proc_asked_ >> p & 1) == 0) continue;
    log_failure(p, (proc_failed_ >> p & 1) != 0 ? proc_.failure(p) : proc_.member_failure(p));
  }
  // Logged once, regardless of the parts that it concerns.
  if (proc_missed_) log_failure(kMemoryIndex, proc_refused_);
}

// A failure that a source event or the end already reports is not a warning.
void Episode::log_failure(uint32_t part, const ReadFailure& failure) {
  const bool told = failure.code == ReadCode::kNone || failure.code == ReadCode::kProcGone ||
                    failure.code == ReadCode::kCgroupNotFound ||
                    (failure.code == ReadCode::kControllerNotEnabled && tier_ != Tier::kCgroup);
  if (!told) failures_.add(part, failure);
}

void Episode::remember(ReadBuffer& buffer) {
  Reading reading;
  read_to_keep(part::kAll, buffer, reading);
}

bool Episode::settle(ReadBuffer& buffer) {
  // After the end, everything is read only once, because no process is left that could change it.
  const uint32_t parts = settling_ ? part::kCpu | part::kIo : part::kAll;
  settling_ = true;
  Reading reading;
  read_to_keep(parts, buffer, reading);
  Reading totals;
  for (const uint32_t p : kTotals) totals.take_part(reading, p);
  const bool agrees = std::memcmp(totals.words, settled_.words, sizeof totals.words) == 0;
  settled_ = totals;
  return agrees;
}

void Episode::read_to_keep(uint32_t parts, ReadBuffer& buffer, Reading& reading) {
  PartOrigin origin;
  if ((parts & part::kMemory) != 0) cgroup_.expire_memory_stat();
  read_parts(parts, buffer, reading, origin);
  for (uint32_t p = 0; p < 3; p++) {
    if (origin.source[p] != source::kCgroup) continue;
    settled_totals_.take_part(reading, p);
    settled_parts_ |= 1u << p;
  }
  if ((parts & part::kExtra) != 0 && has_cgroup()) {
    settled_totals_.take_part(reading, kExtraIndex);
    settled_parts_ |= part::kExtra;
  }
}

bool Episode::ended(ReadBuffer& buffer) {
  root_alive_ = proc_.is_open() && proc_.root_alive();
  if (root_alive_) return false;
  if (has_cgroup()) {
    const Populated populated = cgroup_.populated(buffer);
    if (populated == Populated::kYes) return false;
    if (populated == Populated::kNo && reaper_pid_ == 0) return true;
  }
  if (!proc_.is_open()) return true;
  proc_.set_members(has_cgroup() ? &cgroup_ : nullptr);
  Reading unused;
  proc_.read(part::kCpu, buffer, unused);
  return reaper_pid_ != 0 ? proc_.totals_exact() : proc_.live_members() == 0;
}

}  // namespace episcope
