// The processes to kill: the members of the episode that the killer has found so far.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "kill_kernel.h"

namespace episcope {

struct KillPlan;

struct KillMember {
  int pid = 0;
  uint64_t starttime = 0;
  bool has_starttime = false;  // false if only its pid is known, because it was not read yet
  bool descends = false;       // its children belong to the episode too
  bool spared = false;         // never signalled
  bool refused = false;        // we may not signal it
  bool gone = false;
  int sent = 0;  // the last signal
};

class KillMembers {
 public:
  explicit KillMembers(KillKernel& kernel) : kernel_(kernel) {}

  /// Adds this process, which is spared, and the reapers and processes of the plan.
  void add_plan(const KillPlan& plan);
  /// Adds the processes that the cgroup lists.
  void add_listed();
  void add_children(const std::vector<int>& pids);
  /// Adds the children that no list of children contains, and returns whether there were any. The
  /// kernel may omit a living child from the list while others on it end, and without
  /// CONFIG_PROC_CHILDREN there is no list. Complete once all members have stopped, because they
  /// cannot fork then.
  bool add_unlisted_children();

  /// Whether `stat` shows the member and not another process that has its pid now.
  bool is_same(KillMember& member, const ProcStat& stat);

  /// Begins a round: forgets the members that are gone, and resets `changed` and `whole`.
  void begin_round();
  void sort_oldest_first();
  /// In the order they were found; references stay valid while members are added.
  std::deque<KillMember>& all() { return members_; }

  bool changed = false;  // in this round a member was found, or got the signal for the first time
  bool whole = true;     // in this round every list and every process could be read
  bool lists_foreign = false;  // the cgroup lists a process that has no pid in our namespace
  bool children_cut = false;   // children may have been missed since all were last stopped

 private:
  void add(const KillMember& found);
  void add_listed_threads(std::vector<int> tids);
  std::vector<int> listed(const char* file);
  KillMember* find(int pid);
  bool has_descending_parent(const ProcStat& stat);
  bool read_starttime(KillMember& member);
  void forget_gone();

  KillKernel& kernel_;
  std::deque<KillMember> members_;
  std::unordered_map<int, KillMember*> by_pid_;
};

}  // namespace episcope
