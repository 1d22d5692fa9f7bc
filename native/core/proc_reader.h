// Sums the metrics of one process, of a process tree, or of the members of a bare leaf from /proc.
#pragma once

#include <cstdint>

#include "kept_file.h"
#include "process_tree.h"
#include "reading.h"

namespace episcope {

class CgroupReader;

class ProcReader {
 public:
  struct Options {
    int pid = 0;
    const char* proc_root = "/proc";
    bool tree = true;
    int reaper_pid = 0;           // the calling process if it is the subreaper of the tree, else 0
    uint64_t peak_period_ns = 0;  // minimum time between two reads of the processes' VmHWM
  };

  /// Pins the process by a kept stat descriptor, a pidfd and its starttime. Fails with kProcGone,
  /// kProcRead, kProcParse or kInvalidPid (the id of a thread other than the leader).
  ReadFailure open(const Options& options, ReadBuffer& buffer);
  void close() { *this = ProcReader(); }
  bool is_open() const { return tree_.is_open(); }

  /// Takes the members from the list of a cgroup from now on. While the list lacks the live pinned
  /// process, because it could not be read or the process has not been moved in yet, its tree by
  /// parentage counts too. nullptr returns to parentage alone. The reader must outlive its use
  /// here.
  void set_members(CgroupReader* leaf) {
    leaf_ = leaf != nullptr;
    tree_.set_members(leaf);
  }

  /// Reads the requested parts into `out` and returns those that are available. Memory and io are
  /// sums over the members, cpu is the total of the ledger.
  uint32_t read(uint32_t parts, ReadBuffer& buffer, Reading& out);
  const ReadFailure& failure(uint32_t index) const { return failures_[index]; }
  /// Why the last figure of part `index` lacks a member other than the pinned process.
  const ReadFailure& member_failure(uint32_t index) const { return tree_.member_failure(index); }

  /// quality::kLowerBound if the last figure of part `index` may be incomplete, else 0.
  uint32_t quality(uint32_t index) const;

  /// Whether the pinned process is alive. A zombie is not.
  bool root_alive() { return tree_.root_alive(); }
  /// Readable once the pinned process has exited; −1 if there is no pidfd.
  int pidfd() const { return tree_.pidfd(); }
  bool same_pids() const { return tree_.same_pids(); }
  /// The members that were alive at the last read, or the pinned process before the first one.
  std::vector<KnownProcess> known() const { return tree_.known(); }
  /// Number of members that were alive at the last read.
  uint32_t live_members() const { return tree_.live_members(); }
  /// Whether the totals are exact: with a reaper, every process that exited has been reaped and
  /// accounted.
  bool totals_exact() const { return tree_.totals_exact(); }
  /// See ProcessTree::set_exit_watch.
  void set_exit_watch(std::shared_ptr<ChildWatch> watch) { tree_.set_exit_watch(std::move(watch)); }
  std::optional<ChildExit> root_exit() const { return tree_.root_exit(); }
  bool root_cpu(ReadBuffer& buffer, uint64_t& ns) { return tree_.root_cpu(buffer, ns); }

 private:
  void put_words(uint32_t parts, Reading& out) const;

  ProcessTree tree_;
  ReadFailure failures_[part::kCount];
  int pid_ = 0;
  bool is_tree_ = false;
  bool leaf_ = false;
  uint64_t highest_rss_ = 0;
};

}  // namespace episcope
