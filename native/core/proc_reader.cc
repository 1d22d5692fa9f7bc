#include "proc_reader.h"

#include <algorithm>
#include <cerrno>

namespace episcope {
namespace {

constexpr uint32_t kTotals =
    part::kCpu | part::kIo;  // the ledger keeps these totals after all members have exited

/// In the extra part, unsets only the words that /proc provides: the reader of the cgroup may have
/// filled the others.
void unset_words(uint32_t parts, Reading& out) {
  for (uint32_t index = 0; index < part::kCount; ++index) {
    if (((parts >> index) & 1) == 0) continue;
    const bool shared = index == part::kExtraIndex;
    out.unset_all(shared ? part::kProcWords[index] : part::kWords[index]);
  }
}

}  // namespace

ReadFailure ProcReader::open(const Options& options, ReadBuffer& buffer) {
  close();
  pid_ = options.pid;
  is_tree_ = options.tree;
  tree_.set_peak_period(options.peak_period_ns);
  return tree_.open(options.proc_root, options.pid, options.tree, options.reaper_pid, buffer);
}

uint32_t ProcReader::read(uint32_t parts, ReadBuffer& buffer, Reading& out) {
  parts &= part::kAll;
  unset_words(parts, out);
  if (!is_open()) return 0;
  tree_.sample(parts, buffer);
  highest_rss_ = std::max({highest_rss_, tree_.rss_bytes(), tree_.peak_bytes()});

  const bool ended = tree_.root_gone() && tree_.live_members() == 0;
  uint32_t got = 0;
  for (uint32_t index = 0; index < part::kCount; ++index) {
    const uint32_t bit = 1u << index;
    if (!(parts & bit)) continue;
    ReadFailure& failure = failures_[index];
    failure = tree_.root_failure(index);
    // With a reaper, or with the rusage of the root's exit, the totals include everything.
    const bool complete = tree_.has_reaper() || tree_.exit_counted();
    if (ended && !(complete && (bit & kTotals))) {
      failure = {.code = ReadCode::kProcGone, .error_number = ESRCH, .pid = pid_, .file = "stat"};
    }
    if (!failure) got |= bit;
  }
  put_words(ended ? got | (parts & kTotals) : got, out);
  return got;
}

void ProcReader::put_words(uint32_t parts, Reading& out) const {
  const Ledger& ledger = tree_.ledger();
  if (parts & part::kCpu) {
    out.set(word::kCpuNs, ledger.total(channel::kCpu));
    out.set(word::kCpuUserNs, ledger.total(channel::kCpuUser));
    out.set(word::kCpuSystemNs, ledger.total(channel::kCpuSystem));
  }
  if (parts & part::kMemory) {
    out.set(word::kMemRssBytes, tree_.rss_bytes());
    out.set(word::kMemPeakBytes, highest_rss_);
    out.set(word::kPageFaultsMajor, ledger.total(channel::kMajorFaults));
    out.set(word::kPageFaultsMinor, ledger.total(channel::kMinorFaults));
  }
  if (parts & part::kIo) {
    out.set(word::kIoReadBytes, ledger.total(channel::kIoRead));
    out.set(word::kIoWriteBytes, ledger.total(channel::kIoWrite));
  }
  if (parts & part::kExtra) out.set(word::kPids, tree_.threads());
}

uint32_t ProcReader::quality(uint32_t index) const {
  if (!is_open()) return 0;
  const uint32_t bit = 1u << index;
  const bool any_vanished = tree_.ledger().any_vanished();
  bool missing = (tree_.incomplete() & bit) != 0;
  if (bit == part::kCpu) {
    const bool several = is_tree_ || leaf_;
    missing |= tree_.root_gone() || (several && (any_vanished || tree_.others_seen()));
  }
  if (bit == part::kIo) missing |= any_vanished;
  if (bit != part::kMemory) {
    // The rusage of the root's exit includes all that was reaped below it. A descendant that no
    // sample saw may have been reaped by another process.
    missing |= tree_.exit_counted();
    if (tree_.totals_exact()) missing = false;
  }
  return missing ? episcope::quality::kLowerBound : 0;
}

}  // namespace episcope
