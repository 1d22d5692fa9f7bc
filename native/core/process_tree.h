// The processes of an episode as shown by /proc: the members, their figures, and the ledger that
// sums them. One sample reads all members.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "birth_watch.h"
#include "child_watch.h"
#include "kept_file.h"
#include "ledger.h"
#include "process_directory.h"
#include "process_killer.h"
#include "reading.h"

namespace episcope {

class CgroupReader;

class ProcessTree {
 public:
  /// Pins the process `pid` as the root. `reaper_pid` is the calling process if it is the subreaper
  /// of the tree, else 0.
  ReadFailure open(const char* proc_root, int pid, bool descendants, int reaper_pid,
                   ReadBuffer& buffer);
  bool is_open() const { return !members_.empty(); }

  /// Takes the members from the list of the cgroup, plus the root and its descendants while the
  /// list lacks the live root. With nullptr the members are the root and its descendants.
  void set_members(CgroupReader* leaf) { leaf_ = leaf; }

  /// Sets the minimum time between two reads of the processes' VmHWM.
  void set_peak_period(uint64_t period_ns) { peak_period_ns_ = period_ns; }

  /// Reads every member: stat always, statm for part::kMemory, io for part::kIo.
  void sample(uint32_t parts, ReadBuffer& buffer);

  const Ledger& ledger() const { return ledger_; }
  /// As of the last sample: the number of live members, their memory (resident − shared) and tasks.
  uint32_t live_members() const { return live_; }
  uint64_t rss_bytes() const { return rss_bytes_; }
  /// The highest VmHWM seen of any single process.
  uint64_t peak_bytes() const { return peak_bytes_; }
  uint64_t threads() const { return threads_; }
  /// Parts for which a member other than the root could not be read or found.
  uint32_t incomplete() const { return incomplete_; }
  /// Why a part is incomplete, if known: the first failure of a member other than the root.
  const ReadFailure& member_failure(uint32_t index) const { return member_failures_[index]; }
  /// Why the root's figures of part `index` are missing.
  const ReadFailure& root_failure(uint32_t index) const { return root_failures_[index]; }
  bool root_gone() const { return is_open() && members_[0].gone; }
  bool has_reaper() const { return reaper_pid_ != 0; }
  /// Whether a member other than the root was ever seen.
  bool others_seen() const { return others_seen_; }

  /// Checks now whether the root is alive. A zombie is not.
  bool root_alive();
  /// Readable once the root has exited; −1 if there is no pidfd.
  int pidfd() const { return pidfd_.get(); }
  /// Whether the pids are valid in the calling process, so that system calls can use them.
  bool same_pids() const { return root_.same_pids; }
  /// The members that were alive at the last sample, or the root before the first one.
  std::vector<KnownProcess> known() const;
  /// With a reaper: whether every process that exited has been reaped and accounted.
  bool totals_exact() const;

  /// Sets the watch of a root that is a child of this process, which makes its final usage exact.
  void set_exit_watch(std::shared_ptr<ChildWatch> watch) { exit_watch_ = std::move(watch); }
  /// Checks now how the root exited. The next sample adds its usage to the totals.
  std::optional<ChildExit> root_exit() const;
  /// Whether the totals include the final usage of the root.
  bool exit_counted() const { return exit_counted_; }
  /// The cpu time of the root so far, including its reaped children. Returns false if it is not
  /// known exactly to the ns.
  bool root_cpu(ReadBuffer& buffer, uint64_t& ns);

 private:
  struct Member {
    ProcessDirectory process;
    uint32_t visit = 0;     // the sample that read it last
    uint32_t listed = 0;    // the sample in which the leaf listed it last
    bool descends = false;  // found by parentage while the leaf did not list the root
    bool counted = false;   // has a row in the ledger
    bool stored = false;    // ever had one
    bool gone = false;
    bool zombie = false;
    uint64_t threads = 0;
    uint64_t rss_bytes = 0;
    uint64_t peak_faults = UINT64_MAX;  // page faults when the peak was last read
  };
  static constexpr size_t kNone = SIZE_MAX;

  void open_pidfd(ReadBuffer& buffer);
  size_t find(int pid) const;
  void forget(size_t index);
  size_t add(Member member);
  size_t open_member(int pid, ReadBuffer& buffer);

  void begin_search(ReadBuffer& buffer);
  void end_search();
  void begin_lists(ReadBuffer& buffer);
  void append_children(ProcessDirectory& process, ReadBuffer& buffer);
  bool any_lives() const;
  size_t open_born(int pid, ReadBuffer& buffer);
  void visit_descendants(ReadBuffer& buffer);
  void visit_born(ReadBuffer& buffer);
  void visit_queued(ReadBuffer& buffer);
  void visit(size_t index, ReadBuffer& buffer);
  void visit_listed(ReadBuffer& buffer);
  bool open_listed(ReadBuffer& buffer);
  void find_descendants(ReadBuffer& buffer);
  void find_queued(ReadBuffer& buffer);
  bool belongs(const Member& member, bool by_parentage, bool whole) const;
  void order_by_age();
  bool observe(size_t index, ReadBuffer& buffer, Observation& seen);
  void observe_memory(size_t index, const ProcStat& stat, ReadBuffer& buffer);
  void observe_io(size_t index, ReadBuffer& buffer, Observation& seen);
  void store(size_t index, const Observation& seen);
  void store_reaper();
  void note_unread(uint32_t parts, const ReadFailure& failure);
  void note_unseen(ReadBuffer& buffer);
  void observe_peak(Member& member, uint64_t faults, ReadBuffer& buffer);
  void store_exit();
  void note_failure(size_t index, uint32_t parts, const ReadFailure& failure);
  void sum_up();
  void look_at_clock();
  void remove_ended();

  ProcRoot root_;
  KeptDescriptor procfd_;  // of root_
  KeptDescriptor pidfd_;
  int reaper_pid_ = 0;
  bool descendants_ = false;
  CgroupReader* leaf_ = nullptr;
  ProcessDirectory reaper_;
  Observation reaper_baseline_;

  /// The first element is always the root. Other members may change their index.
  std::vector<Member> members_;
  std::unordered_map<int, size_t> by_pid_;
  Ledger ledger_;

  BirthWatch births_;
  Search search_ = Search::kLists;
  bool searches_ = false;       // this sample searches for children
  bool lists_cut_ = false;      // a list could not be read completely at the last search
  std::vector<int> unopened_;   // pids that exist but could not be opened
  std::vector<int> queue_;      // pids to visit, parents before children
  std::vector<int> listed_;     // pids that the leaf listed
  std::vector<int> unseen_;     // listed pids that were not found
  std::vector<size_t> by_age_;  // members, oldest first
  uint32_t sample_ = 0;
  uint32_t parts_ = 0;
  ReadFailure root_failures_[part::kCount];
  ReadFailure member_failures_[part::kCount];
  uint32_t incomplete_ = 0;
  uint32_t live_ = 0;
  uint32_t zombies_ = 0;
  uint64_t rss_bytes_ = 0;
  uint64_t threads_ = 0;
  uint64_t peak_period_ns_ = 0;
  uint64_t peaks_due_ns_ = 0;
  bool peaks_due_ = false;  // in this sample
  uint64_t peak_bytes_ = 0;
  bool others_seen_ = false;
  std::shared_ptr<ChildWatch> exit_watch_;
  bool exit_counted_ = false;
};

}  // namespace episcope
