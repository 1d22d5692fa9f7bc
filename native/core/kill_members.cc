#include "kill_members.h"

#include <algorithm>
#include <climits>
#include <utility>

#include "process_figures.h"
#include "process_killer.h"
#include "schema.h"

namespace episcope {
namespace {

bool contains(const std::vector<int>& ids, int id) {
  return std::binary_search(ids.begin(), ids.end(), id);
}

}  // namespace

void KillMembers::add_plan(const KillPlan& plan) {
  add({.pid = kernel_.own_pid(), .spared = true});
  for (const int pid : plan.reapers) add({.pid = pid, .descends = true, .spared = true});
  for (const KnownProcess& known : plan.processes) {
    add({.pid = known.pid, .starttime = known.starttime, .has_starttime = true, .descends = true});
  }
}

void KillMembers::add_listed() {
  const std::vector<int> pids = listed("cgroup.procs");
  // A process in a pid namespace that is not below ours is listed as 0: no signal can name it.
  lists_foreign = contains(pids, 0);
  // A process that was moved in after its first thread had ended is listed only by its other
  // threads.
  if (pids.empty()) return add_listed_threads(listed("cgroup.threads"));
  std::vector<KillMember> found;
  for (const int pid : pids) {
    KillMember member;
    member.pid = pid;
    if (find(pid) == nullptr && read_starttime(member)) found.push_back(member);
  }
  if (found.empty()) return;
  // A pid that is listed again after its starttime was read belongs to the same process both times.
  const std::vector<int> again = listed("cgroup.procs");
  for (const KillMember& member : found) {
    if (contains(again, member.pid)) add(member);
  }
}

void KillMembers::add_listed_threads(std::vector<int> tids) {
  std::vector<std::pair<int, KillMember>> found;
  for (const int tid : tids) {
    KillMember member;
    member.pid = kernel_.process_of_thread(tid);
    if (member.pid == 0 || find(member.pid) != nullptr) continue;
    if (read_starttime(member)) found.emplace_back(tid, member);
  }
  if (found.empty()) return;
  tids = listed("cgroup.threads");
  for (const auto& [tid, member] : found) {
    if (contains(tids, tid)) add(member);
  }
}

/// Returns the ids in ascending order.
std::vector<int> KillMembers::listed(const char* file) {
  std::vector<int> ids;
  if (!kernel_.append_listed(file, ids)) whole = false;
  std::sort(ids.begin(), ids.end());
  return ids;
}

void KillMembers::add_children(const std::vector<int>& pids) {
  for (const int pid : pids) add({.pid = pid, .descends = true});
}

bool KillMembers::add_unlisted_children() {
  const auto may_have = [](const KillMember& member) { return member.descends && !member.gone; };
  if (std::none_of(members_.begin(), members_.end(), may_have)) return false;
  const size_t known = members_.size();
  std::vector<int> pids;
  if (!kernel_.append_processes(pids)) children_cut = true;
  for (const int pid : pids) {
    if (find(pid) != nullptr) continue;
    ProcStat stat;
    // A process that cannot be read has just ended, or is hidden from us.
    if (kernel_.look(pid, stat) != Sight::kSeen) continue;
    if (has_descending_parent(stat) && !is_zombie(stat)) add({.pid = pid, .descends = true});
  }
  return members_.size() > known;
}

void KillMembers::add(const KillMember& found) {
  if (KillMember* known = find(found.pid); known != nullptr) {
    // A process that the cgroup lists turns out to descend as well: its children must still be
    // found.
    if (found.descends && !known->descends) {
      known->descends = true;
      changed = true;
    }
    return;
  }
  if (found.pid <= 1 && !found.spared) return;
  if (members_.size() == kMaxKillMembers) {
    whole = false;
    return;
  }
  members_.push_back(found);
  by_pid_[found.pid] = &members_.back();
}

/// Returns nullptr also if the member that had this pid is gone.
KillMember* KillMembers::find(int pid) {
  const auto found = by_pid_.find(pid);
  return found == by_pid_.end() || found->second->gone ? nullptr : found->second;
}

bool KillMembers::has_descending_parent(const ProcStat& stat) {
  const KillMember* parent = stat.ppid <= INT_MAX ? find(static_cast<int>(stat.ppid)) : nullptr;
  return parent != nullptr && parent->descends;
}

/// Returns false if there is no such process, or it cannot be read.
bool KillMembers::read_starttime(KillMember& member) {
  ProcStat stat;
  const Sight sight = kernel_.look(member.pid, stat);
  if (sight == Sight::kUnreadable) whole = false;
  member.starttime = stat.starttime_ticks;
  member.has_starttime = sight == Sight::kSeen;
  return member.has_starttime;
}

bool KillMembers::is_same(KillMember& member, const ProcStat& stat) {
  if (member.has_starttime) return member.starttime == stat.starttime_ticks;
  // A pid from a list of children may have been given to another process since.
  if (!member.spared && !has_descending_parent(stat)) return false;
  member.starttime = stat.starttime_ticks;
  member.has_starttime = true;
  return true;
}

void KillMembers::begin_round() {
  forget_gone();
  changed = false;
  whole = true;
}

void KillMembers::sort_oldest_first() {
  std::stable_sort(members_.begin(), members_.end(),
                   [](const KillMember& one, const KillMember& other) {
                     return one.starttime < other.starttime;
                   });
  forget_gone();
}

void KillMembers::forget_gone() {
  std::erase_if(members_, [](const KillMember& member) { return member.gone; });
  by_pid_.clear();
  for (KillMember& member : members_) by_pid_[member.pid] = &member;
}

}  // namespace episcope
