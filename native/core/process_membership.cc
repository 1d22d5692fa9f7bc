// The part of ProcessTree that finds the members, by parentage or from the list of a leaf.
#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "cgroup_reader.h"
#include "clock.h"
#include "process_tree.h"

namespace episcope {

/// Starts the search for children in the cheapest way.
void ProcessTree::begin_search(ReadBuffer& buffer) {
  queue_.clear();
  searches_ = true;
  search_ = births_.begin(threads_, monotonic_ns(), buffer);
  if (search_ == Search::kLists) {
    begin_lists(buffer);
    return;
  }
  if (search_ == Search::kNone || lists_cut_) incomplete_ |= part::kAll;
  std::swap(queue_, unopened_);
}

void ProcessTree::begin_lists(ReadBuffer& buffer) {
  search_ = Search::kLists;
  lists_cut_ = false;
  unopened_.clear();
  if (has_reaper()) append_children(reaper_, buffer);
}

void ProcessTree::end_search() {
  if (search_ == Search::kLists) births_.searched(monotonic_ns());
}

void ProcessTree::append_children(ProcessDirectory& process, ReadBuffer& buffer) {
  if (search_ != Search::kLists || process.append_children(buffer, queue_)) return;
  lists_cut_ = true;
  incomplete_ |= part::kAll;
}

bool ProcessTree::any_lives() const {
  return std::any_of(members_.begin(), members_.end(), [](const Member& member) {
    return member.counted && !member.gone && !member.zombie;
  });
}

/// Opens the new process with this pid if it is a child of a member, else returns kNone.
size_t ProcessTree::open_born(int pid, ReadBuffer& buffer) {
  if (pid == reaper_pid_ || find(pid) != kNone) return kNone;
  Member born;
  ProcStat stat;
  if (const ReadFailure failure = born.process.open(root_, pid, buffer, stat)) {
    if (failure.code == ReadCode::kProcGone) births_.not_there(pid);
    return kNone;
  }
  const int parent = stat.ppid > INT_MAX ? 0 : static_cast<int>(stat.ppid);
  const size_t index = find(parent);
  // If a leaf lists the members, only children of members found by parentage are followed.
  const bool is_ours = index != kNone ? leaf_ == nullptr || members_[index].descends
                                      : has_reaper() && parent == reaper_pid_;
  // A thread has its own id, but the parent of its process.
  if (!is_ours || born.process.thread_group(buffer) != pid) return kNone;
  return add(std::move(born));
}

void ProcessTree::visit_descendants(ReadBuffer& buffer) {
  if (descendants_) begin_search(buffer);
  visit_queued(buffer);
  if (!members_[0].gone) {
    members_[0].counted = true;
    if (members_[0].visit != sample_) visit(0, buffer);
  }
  visit_queued(buffer);
  // Members whose parent exited have a new parent, which may not be a member.
  order_by_age();
  for (const size_t index : by_age_) {
    if (members_[index].visit == sample_) continue;
    visit(index, buffer);
    visit_queued(buffer);
  }
  visit_born(buffer);
  // Before concluding that no member is left, read the lists for children that the new pids did not
  // show.
  if (searches_ && search_ != Search::kLists && !any_lives()) {
    begin_lists(buffer);
    visit_queued(buffer);
  }
}

void ProcessTree::visit_born(ReadBuffer& buffer) {
  if (!searches_ || search_ != Search::kBirths) return;
  for (const int pid : births_.born()) {
    const size_t index = open_born(pid, buffer);
    if (index != kNone) visit(index, buffer);
  }
}

void ProcessTree::visit_queued(ReadBuffer& buffer) {
  // The queue grows while it is walked.
  for (size_t at = 0; at < queue_.size(); ++at) {
    const int pid = queue_[at];
    if (pid == reaper_pid_) continue;
    size_t index = find(pid);
    if (index != kNone && members_[index].visit == sample_) continue;
    if (index != kNone) visit(index, buffer);
    // A new process, possibly with the pid of a member that has exited.
    if (index == kNone || members_[index].gone) {
      index = open_member(pid, buffer);
      if (index != kNone) visit(index, buffer);
    }
  }
  queue_.clear();
}

void ProcessTree::visit(size_t index, ReadBuffer& buffer) {
  Observation seen;
  if (!observe(index, buffer, seen)) return;
  store(index, seen);
  if (descendants_) append_children(members_[index].process, buffer);
}

void ProcessTree::visit_listed(ReadBuffer& buffer) {
  const bool whole = open_listed(buffer);
  // An incomplete list does not mean that there are no members: while it lacks the live root,
  // because it could not be read or the process has not been moved in yet, members are also found
  // by parentage.
  const bool by_parentage = members_[0].listed != sample_ && root_alive();
  if (by_parentage) find_descendants(buffer);
  order_by_age();
  for (const size_t index : by_age_) {
    Observation seen;
    if (!observe(index, buffer, seen)) continue;
    Member& member = members_[index];
    if (belongs(member, by_parentage, whole)) {
      store(index, seen);
    } else if (member.counted) {
      ledger_.leave(member.process.pid(), member.process.starttime());
      member.counted = false;
    }
  }
  // The pid of a member that has exited may have been reused.
  for (const int pid : listed_) {
    if (pid == reaper_pid_ || find(pid) != kNone) continue;
    const size_t index = open_member(pid, buffer);
    if (index == kNone) continue;
    Observation seen;
    if (observe(index, buffer, seen)) store(index, seen);
  }
  if (!unseen_.empty()) note_unseen(buffer);
}

/// A pid that is listed again is alive; it was not found because /proc hides it or its namespace.
void ProcessTree::note_unseen(ReadBuffer& buffer) {
  listed_.clear();
  (void)leaf_->list_members(buffer, listed_);
  for (const int pid : unseen_) {
    if (find(pid) != kNone) continue;
    if (std::find(listed_.begin(), listed_.end(), pid) == listed_.end()) continue;
    ReadFailure failure{.code = ReadCode::kProcRead,
                        .reason = ParseReason::kHidden,
                        .error_number = ENOENT,
                        .pid = pid,
                        .file = "stat"};
    if (pid == 0) {
      failure = {.code = ReadCode::kProcRead,
                 .reason = ParseReason::kForeignMember,
                 .file = "cgroup.procs"};
    }
    note_unread(part::kAll, failure);
  }
}

bool ProcessTree::open_listed(ReadBuffer& buffer) {
  listed_.clear();
  unseen_.clear();
  const bool whole = leaf_->list_members(buffer, listed_);
  if (!whole) incomplete_ |= part::kAll;
  for (const int pid : listed_) {
    if (pid != 0 && pid == reaper_pid_) continue;
    size_t index = find(pid);
    if (index == kNone) index = open_member(pid, buffer);
    if (index == kNone) {
      unseen_.push_back(pid);
      continue;
    }
    members_[index].listed = sample_;
    members_[index].counted = true;
  }
  return whole;
}

bool ProcessTree::belongs(const Member& member, bool by_parentage, bool whole) const {
  if (member.listed == sample_ || (by_parentage && member.descends)) return true;
  // A zombie is no longer listed, but its parent, which will reap it, is still to be credited.
  return member.counted && (!whole || member.zombie);
}

// Only finds the members; all of them are read afterwards, the oldest first.
void ProcessTree::find_descendants(ReadBuffer& buffer) {
  members_[0].descends = true;
  members_[0].counted = true;
  if (!descendants_) return;
  begin_search(buffer);
  // Descendants whose parent exited are no longer found through it, so start from each of them.
  for (size_t index = 0; index < members_.size(); ++index) {
    Member& member = members_[index];
    if (!member.gone && member.descends) append_children(member.process, buffer);
  }
  find_queued(buffer);
  if (search_ != Search::kBirths) return;
  for (const int pid : births_.born()) {
    const size_t index = open_born(pid, buffer);
    if (index != kNone) members_[index].descends = true;
  }
}

void ProcessTree::find_queued(ReadBuffer& buffer) {
  // The queue grows while it is walked.
  for (size_t at = 0; at < queue_.size(); ++at) {
    const int pid = queue_[at];
    if (pid == reaper_pid_) continue;
    size_t index = find(pid);
    if (index == kNone) index = open_member(pid, buffer);
    if (index == kNone || members_[index].descends) continue;
    members_[index].descends = true;
    append_children(members_[index].process, buffer);
  }
  queue_.clear();
}

/// Sorts the members by age, so that parents precede their children.
void ProcessTree::order_by_age() {
  by_age_.clear();
  for (size_t index = 0; index < members_.size(); ++index) {
    if (!members_[index].gone) by_age_.push_back(index);
  }
  std::sort(by_age_.begin(), by_age_.end(), [this](size_t a, size_t b) {
    const ProcessDirectory& one = members_[a].process;
    const ProcessDirectory& other = members_[b].process;
    return one.starttime() != other.starttime() ? one.starttime() < other.starttime()
                                                : one.pid() < other.pid();
  });
}

}  // namespace episcope
