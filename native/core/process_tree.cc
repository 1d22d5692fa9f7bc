#include "process_tree.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "clock.h"
#include "pidfd.h"
#include "proc_root.h"
#include "process_figures.h"

namespace episcope {
namespace {

/// Why the processes of this procfs cannot be observed. `open_error` is the errno if it could not
/// be opened.
ReadFailure refusal_of(const ProcRoot& root, const char* path, int pid, int open_error) {
  const bool is_open = root.fd >= 0;
  const int error = is_open && root.is_default ? root.why_foreign() : is_open ? 0 : open_error;
  if (error == 0) return {};
  // Reported as if the directory of the process, which is beneath it, could not be opened.
  ReadFailure failure{
      .code = ReadCode::kProcRead, .error_number = error, .pid = pid, .file = "stat"};
  if (is_shortage(error)) return failure;
  if (is_open) failure.set_file("");
  if (is_open || std::strcmp(path, "/proc") == 0) {
    failure.code = ReadCode::kProcNotAvailable;
  } else if (error == ENOENT) {
    failure.code = ReadCode::kProcGone;
  }
  return failure;
}

}  // namespace

ReadFailure ProcessTree::open(const char* proc_root, int pid, bool descendants, int reaper_pid,
                              ReadBuffer& buffer) {
  root_ = open_proc_root(proc_root);
  ReadFailure failure = refusal_of(root_, proc_root, pid, errno);
  procfd_ = KeptDescriptor::always(OwnedDescriptor(root_.fd));
  Member root;
  ProcStat stat;
  if (!failure) failure = root.process.open(root_, pid, buffer, stat);
  if (!failure) {
    const int process = root.process.thread_group(buffer);
    if (process != 0 && process != pid) {
      failure = {.code = ReadCode::kInvalidPid, .pid = pid, .file = "status"};
    }
  }
  if (failure) {
    *this = ProcessTree();
    return failure;
  }
  descendants_ = descendants;
  births_.open(root_);
  reaper_pid_ = reaper_pid;
  add(std::move(root));
  live_ = 1;
  open_pidfd(buffer);
  if (reaper_pid_ != 0) {
    // Only used for its children; getrusage returns what it reaped.
    ProcRoot without_clock = root_;
    without_clock.same_pids = false;
    (void)reaper_.open(without_clock, reaper_pid_, buffer, stat);
    ledger_.set_reaper(reaper_pid_);
    observe_own_children(reaper_baseline_);
  }
  return {};
}

void ProcessTree::open_pidfd(ReadBuffer& buffer) {
  if (!root_.same_pids) return;
  OwnedDescriptor pidfd = episcope::open_pidfd(members_[0].process.pid());
  // The pidfd refers to the pinned process only if that process still exists now.
  ProcStat stat;
  if (!pidfd.is_open() || members_[0].process.read_stat(buffer, stat)) return;
  pidfd_ = KeptDescriptor::within_budget(std::move(pidfd));
}

std::vector<KnownProcess> ProcessTree::known() const {
  std::vector<KnownProcess> processes;
  for (const Member& member : members_) {
    if (member.gone || (sample_ > 0 && !member.counted)) continue;
    processes.push_back({member.process.pid(), member.process.starttime()});
  }
  return processes;
}

void ProcessTree::sample(uint32_t parts, ReadBuffer& buffer) {
  if (!is_open()) return;
  ++sample_;
  parts_ = parts;
  look_at_clock();
  incomplete_ = 0;
  std::fill(std::begin(root_failures_), std::end(root_failures_), ReadFailure{});
  std::fill(std::begin(member_failures_), std::end(member_failures_), ReadFailure{});
  searches_ = false;
  ledger_.begin();
  if (has_reaper()) store_reaper();
  if (leaf_ != nullptr) {
    visit_listed(buffer);
  } else {
    visit_descendants(buffer);
  }
  if (searches_) end_search();
  sum_up();
  // The reaper's row lacks processes reaped since it was read. It can be read again only if no
  // member is left, because live members have to be read after it.
  if (has_reaper() && live_ == 0 && zombies_ == 0) store_reaper();
  store_exit();
  ledger_.settle();
  remove_ended();
}

void ProcessTree::look_at_clock() {
  peaks_due_ = false;
  if ((parts_ & part::kMemory) == 0) return;
  const uint64_t now = monotonic_ns();
  peaks_due_ = now >= peaks_due_ns_;
  if (peaks_due_) peaks_due_ns_ = saturating_add(now, peak_period_ns_);
}

bool ProcessTree::root_alive() {
  if (!is_open() || members_[0].gone) return false;
  if (pidfd_.is_open()) {
    pollfd exited = {pidfd(), POLLIN, 0};
    // An interrupted poll returns no information, so the root counts as alive.
    return poll(&exited, 1, 0) <= 0;
  }
  ProcStat stat;
  const ReadFailure failure = members_[0].process.read_state(stat);
  if (failure) return failure.code != ReadCode::kProcGone;
  return !is_zombie(stat);
}

bool ProcessTree::totals_exact() const { return has_reaper() && live_ == 0 && zombies_ == 0; }

size_t ProcessTree::find(int pid) const {
  const auto found = by_pid_.find(pid);
  return found == by_pid_.end() ? kNone : found->second;
}

/// Called when the pid no longer refers to this member.
void ProcessTree::forget(size_t index) {
  const int pid = members_[index].process.pid();
  if (find(pid) == index) by_pid_.erase(pid);
}

size_t ProcessTree::add(Member member) {
  by_pid_[member.process.pid()] = members_.size();
  members_.push_back(std::move(member));
  return members_.size() - 1;
}

size_t ProcessTree::open_member(int pid, ReadBuffer& buffer) {
  Member member;
  ProcStat stat;
  if (const ReadFailure failure = member.process.open(root_, pid, buffer, stat)) {
    // It has exited already; its parent accounts for what it used.
    if (failure.code != ReadCode::kProcGone) {
      note_unread(part::kAll, failure);
      if (searches_) unopened_.push_back(pid);
    }
    return kNone;
  }
  return add(std::move(member));
}

/// Returns false if the member has exited or its stat could not be read.
bool ProcessTree::observe(size_t index, ReadBuffer& buffer, Observation& seen) {
  Member& member = members_[index];
  ProcessDirectory& process = member.process;
  member.visit = sample_;
  // Read before stat: if the pid still belongs to the process then, it did so here.
  uint64_t clock_ns = 0;
  const bool has_clock = process.process_clock(clock_ns);
  ProcStat stat;
  if (const ReadFailure failure = process.read_stat(buffer, stat)) {
    if (failure.code == ReadCode::kProcGone) {
      member.gone = true;
      forget(index);
    } else {
      note_failure(index, part::kAll, failure);
      ledger_.keep(process.pid(), process.starttime());
    }
    return false;
  }
  member.threads = stat.num_threads;
  member.zombie = is_zombie(stat);
  seen.pid = process.pid();
  seen.starttime = process.starttime();
  observe_stat(stat, seen);
  if (has_clock) seen.own[channel::kCpu] = std::max(seen.own[channel::kCpu], clock_ns);
  if (parts_ & part::kMemory) {
    observe_memory(index, stat, buffer);
    if (peaks_due_) observe_peak(member, saturating_add(stat.minflt, stat.majflt), buffer);
  }
  if (parts_ & part::kIo) observe_io(index, buffer, seen);
  return true;
}

void ProcessTree::observe_memory(size_t index, const ProcStat& stat, ReadBuffer& buffer) {
  ProcStatm statm;
  const bool of_thread = leader_ended(stat) && !is_zombie(stat);
  if (const ReadFailure failure = members_[index].process.read_statm(buffer, statm, of_thread)) {
    note_failure(index, part::kMemory, failure);
    return;
  }
  members_[index].rss_bytes =
      bytes_of_pages(saturating_sub(statm.resident_pages, statm.shared_pages));
}

/// A process without page faults since its peak was read cannot have a higher peak.
void ProcessTree::observe_peak(Member& member, uint64_t faults, ReadBuffer& buffer) {
  uint64_t bytes = 0;
  if (member.peak_faults == faults || !member.process.peak_rss(buffer, bytes)) return;
  member.peak_faults = faults;
  peak_bytes_ = std::max(peak_bytes_, bytes);
}

void ProcessTree::observe_io(size_t index, ReadBuffer& buffer, Observation& seen) {
  ProcIo io;
  if (const ReadFailure failure = members_[index].process.read_io(buffer, io)) {
    note_failure(index, part::kIo, failure);
    return;
  }
  // The kernel adds the io of reaped children to their parent's own io, so the ledger treats all of
  // it as reaped.
  seen.set(channel::kIoRead, 0, io.read_bytes);
  seen.set(channel::kIoWrite, 0, io.write_bytes);
}

void ProcessTree::store(size_t index, const Observation& seen) {
  ledger_.store(seen);
  members_[index].counted = true;
  members_[index].stored = true;
  if (index != 0) others_seen_ = true;
}

void ProcessTree::store_reaper() {
  Observation seen;
  observe_own_children(seen);
  seen.pid = reaper_pid_;
  for (uint32_t c = 0; c < channel::kCount; ++c) {
    seen.reaped[c] = saturating_sub(seen.reaped[c], reaper_baseline_.reaped[c]);
  }
  ledger_.store(seen);
}

/// Records a failure of a member other than the root. One failure that affects several parts is
/// reported once.
void ProcessTree::note_unread(uint32_t parts, const ReadFailure& failure) {
  incomplete_ |= parts;
  // The process has exited meanwhile, and its parent accounts for what it used.
  if (failure.code == ReadCode::kProcGone) return;
  constexpr uint32_t kReportingOrder[] = {1, 2, 0, 3};
  for (const uint32_t p : kReportingOrder) {
    if (!((parts & parts_) >> p & 1)) continue;
    if (!member_failures_[p]) member_failures_[p] = failure;
    return;
  }
}

void ProcessTree::store_exit() {
  Member& root = members_[0];
  if (exit_counted_ || (!root.gone && !root.zombie)) return;
  // If the root has been reaped, the reaper's row already includes its usage, which must not count
  // twice.
  if (root.gone && reaper_pid_ != 0) return;
  // A leaf that never listed the root does not include its usage.
  if (!root.stored && leaf_ != nullptr) return;
  const std::optional<ChildExit> exit = root_exit();
  if (!exit) return;
  Observation seen;
  seen.pid = root.process.pid();
  seen.starttime = root.process.starttime();
  if (!root.stored) ledger_.store(seen);  // the root exited before it was read
  observe_rusage(exit->usage, seen);
  exit_counted_ = ledger_.close(seen);
}

std::optional<ChildExit> ProcessTree::root_exit() const {
  return exit_watch_ ? exit_watch_->exit() : std::nullopt;
}

bool ProcessTree::root_cpu(ReadBuffer& buffer, uint64_t& ns) {
  if (!is_open()) return false;
  ProcessDirectory& process = members_[0].process;
  ProcStat stat;
  if (!process.process_clock(ns) || process.read_stat(buffer, stat)) return false;
  // The usage of reaped children has only the resolution of a clock tick.
  return stat.cminflt == 0 && stat.cmajflt == 0;
}

void ProcessTree::note_failure(size_t index, uint32_t parts, const ReadFailure& failure) {
  if (index != 0) {
    note_unread(parts, failure);
    return;
  }
  if (!members_[0].counted) return;
  for (uint32_t p = 0; p < part::kCount; ++p) {
    if ((parts >> p) & 1) root_failures_[p] = failure;
  }
}

void ProcessTree::sum_up() {
  live_ = 0;
  zombies_ = 0;
  rss_bytes_ = 0;
  threads_ = 0;
  for (const Member& member : members_) {
    if (member.gone || !member.counted) continue;
    if (member.zombie) {
      ++zombies_;
      continue;
    }
    ++live_;
    rss_bytes_ = saturating_add(rss_bytes_, member.rss_bytes);
    threads_ = saturating_add(threads_, member.threads);
  }
}

void ProcessTree::remove_ended() {
  // Backwards, because the member that replaces a removed one has been checked already.
  for (size_t index = members_.size(); index-- > 1;) {
    Member& member = members_[index];
    if (!member.gone && member.counted) continue;
    forget(index);
    const size_t last = members_.size() - 1;
    if (index != last) {
      if (find(members_[last].process.pid()) == last) by_pid_[members_[last].process.pid()] = index;
      member = std::move(members_[last]);
    }
    members_.pop_back();
  }
}

}  // namespace episcope
