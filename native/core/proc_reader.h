// One process, or a process tree, or the members of a bare leaf: metrics summed from /proc.
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
    int reaper_pid = 0;           // the calling process when it is the tree's subreaper, else 0
    uint64_t peak_period_ns = 0;  // the least time between two looks at the processes' own peaks
  };

  ProcReader() = default;
  ProcReader(const ProcReader&) = delete;
  ProcReader& operator=(const ProcReader&) = delete;
  ~ProcReader() { close(); }

  /// Pins the process: kept stat descriptor, pidfd, starttime. kProcGone, kProcRead, kProcParse or
  /// kInvalidPid (the id of a thread that is not its process's).
  ReadFailure open(const Options& options, ReadBuffer& buffer);
  void close();
  bool is_open() const { return tree_.is_open(); }

  /// From now on the members are those that the cgroup lists, and while it does not list the pinned
  /// process though that lives, its tree by parentage too: the list could not be read, or the
  /// process was not moved in yet. nullptr goes back to parentage. The reader must outlive its use
  /// here.
  void set_members(CgroupReader* leaf) {
    leaf_ = leaf != nullptr;
    tree_.set_members(leaf);
  }

  /// Reads the asked parts into `out`; memory and io are sums over the members, cpu is the ledger's
  /// total.
  uint32_t read(uint32_t parts, ReadBuffer& buffer, Reading& out);
  const ReadFailure& failure(uint32_t index) const { return failures_[index]; }
  /// Why the last figure of part `index` lacks another member than the pinned process.
  const ReadFailure& member_failure(uint32_t index) const { return tree_.member_failure(index); }

  /// quality::kLowerBound where the last figure of part `index` may miss something, else 0.
  uint32_t quality(uint32_t index) const;

  /// The pinned process has not exited (a zombie has).
  bool root_alive() { return tree_.root_alive(); }
  /// Readable once the pinned process has exited; −1 where there is none.
  int pidfd() const { return tree_.pidfd(); }
  bool same_pids() const { return tree_.same_pids(); }
  /// The members that lived at the last read; before the first one the pinned process.
  std::vector<KnownProcess> known() const { return tree_.known(); }
  /// Members that lived at the last read.
  uint32_t live_members() const { return tree_.live_members(); }
  /// With a reaper: everything that ended has been reaped and accounted, so that the totals are
  /// exact.
  bool totals_exact() const { return tree_.totals_exact(); }
  /// As of ProcessTree.
  void set_exit_watch(std::shared_ptr<ChildWatch> watch) { tree_.set_exit_watch(std::move(watch)); }
  std::optional<ChildExit> root_exit() const { return tree_.root_exit(); }
  bool root_cpu(ReadBuffer& buffer, uint64_t& ns) { return tree_.root_cpu(buffer, ns); }

 private:
  void put_words(uint32_t parts, Reading& out) const;
  ReadFailure gone() const;

  ProcessTree tree_;
  ReadFailure failures_[part::kCount];
  int pid_ = 0;
  bool is_tree_ = false;
  bool leaf_ = false;
  uint64_t highest_rss_ = 0;
};

}  // namespace episcope
