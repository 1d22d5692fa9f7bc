#include "ledger.h"

#include <algorithm>
#include <iterator>

#include "limits.h"

namespace episcope {

void Ledger::begin() {
  for (Row& row : rows_) row.present = false;
}

void Ledger::store(const Observation& seen) {
  if (seen.state == 'X' || seen.state == 'x') return;
  int index = find(seen.pid, seen.starttime);
  if (index == kNone) index = insert(seen.pid, seen.starttime);
  Row& row = rows_[static_cast<size_t>(index)];
  row.present = true;
  row.leaving = false;
  row.ppid = seen.ppid;
  for (uint32_t c = 0; c < channel::kCount; ++c) {
    if (!((seen.channels >> c) & 1)) continue;
    // The kernel divides user and system by sampling: they can decrease a little between reads.
    Account& account = row.accounts[c];
    account.own = std::max(account.own, seen.own[c]);
    account.reaped = std::max(account.reaped, seen.reaped[c]);
  }
}

void Ledger::keep(int pid, uint64_t starttime) { mark_present(pid, starttime); }

void Ledger::leave(int pid, uint64_t starttime) {
  if (Row* row = mark_present(pid, starttime)) row->leaving = true;
}

bool Ledger::close(const Observation& seen) {
  Row* row = mark_present(seen.pid, seen.starttime);
  if (row == nullptr) return false;
  for (uint32_t c = 0; c < channel::kCount; ++c) {
    Account& account = row->accounts[c];
    account.reaped = std::max(account.reaped, saturating_sub(seen.reaped[c], account.own));
  }
  return true;
}

void Ledger::settle() {
  credit_ended();
  count_present();
  erase_ended();
  link_parents();
}

// Deepest first, so that a grandchild's credit reaches its parent before the parent's own credit is
// passed on.
void Ledger::credit_ended() {
  ended_.clear();
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i].in_use || !rows_[i].ends()) continue;
    if (!rows_[i].present) any_vanished_ = true;
    const int index = static_cast<int>(i);
    ended_.push_back({depth_of(index), index});
  }
  std::sort(ended_.begin(), ended_.end(), [](const Ended& a, const Ended& b) {
    return a.depth != b.depth ? a.depth > b.depth : a.index < b.index;
  });
  for (const Ended& ended : ended_) {
    const Row& row = rows_[static_cast<size_t>(ended.index)];
    const int heir = heir_of(row);
    if (heir == kNone) continue;
    Row& parent = rows_[static_cast<size_t>(heir)];
    for (uint32_t c = 0; c < channel::kCount; ++c) {
      const Account& from = row.accounts[c];
      Account& to = parent.accounts[c];
      const uint64_t used = saturating_add(from.own, from.reaped);
      to.credit = saturating_add(to.credit, saturating_add(used, from.credit));
      to.inherited = saturating_add(to.inherited, from.credit);
    }
  }
}

/// The row that will reap this one or has reaped it.
int Ledger::heir_of(const Row& row) const {
  if (!row.leaving) return row.parent;
  if (reaper() == kNone) return kNone;
  return row.parent != kNone ? row.parent : reaper();
}

int Ledger::reaper() const {
  const auto found = by_pid_.find(reaper_pid_);
  return reaper_pid_ == 0 || found == by_pid_.end() ? kNone : found->second;
}

// The reaper comes last: what it reaped of an exited branch follows from what the other rows did
// not reap.
void Ledger::count_present() {
  const int last = reaper();
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (static_cast<int>(i) != last && rows_[i].in_use && rows_[i].present) count(rows_[i]);
  }
  if (last == kNone || !rows_[static_cast<size_t>(last)].present) return;
  move_inherited(rows_[static_cast<size_t>(last)]);
  count(rows_[static_cast<size_t>(last)]);
}

void Ledger::count(Row& row) {
  for (uint32_t c = 0; c < channel::kCount; ++c) {
    Account& account = row.accounts[c];
    const uint64_t own = account.own - account.counted_own;
    const uint64_t reaped = account.reaped - account.counted_reaped;
    const uint64_t covered = std::min(reaped, account.credit);
    account.credit -= covered;
    account.inherited = std::min(account.inherited, account.credit);
    totals_[c] = saturating_add(totals_[c], saturating_add(own, reaped - covered));
    account.counted_own = account.own;
    account.counted_reaped = account.reaped;
  }
}

// A process whose parent exited first is reaped by the reaper, not by the grandparent that was
// credited. The growth of the reaper beyond its own credit is therefore taken from the inherited
// credit of other rows.
void Ledger::move_inherited(Row& to_reaper) {
  heirs_.clear();
  for (size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    if (!row.in_use || row.ends() || &row == &to_reaper) continue;
    const bool any = std::any_of(std::begin(row.accounts), std::end(row.accounts),
                                 [](const Account& account) { return account.inherited > 0; });
    if (any) heirs_.push_back(static_cast<int>(i));
  }
  // The order determines from which rows credit is taken, and must be the same in both engines.
  std::sort(heirs_.begin(), heirs_.end(), [this](int a, int b) {
    return rows_[static_cast<size_t>(a)].pid < rows_[static_cast<size_t>(b)].pid;
  });
  for (uint32_t c = 0; c < channel::kCount; ++c) {
    Account& to = to_reaper.accounts[c];
    uint64_t lack = saturating_sub(to.reaped - to.counted_reaped, to.credit);
    for (const int index : heirs_) {
      Account& from = rows_[static_cast<size_t>(index)].accounts[c];
      const uint64_t moved = std::min(from.inherited, lack);
      from.inherited -= moved;
      from.credit -= moved;
      to.credit = saturating_add(to.credit, moved);
      lack -= moved;
    }
  }
}

void Ledger::erase_ended() {
  for (const Ended& ended : ended_) {
    const Row& row = rows_[static_cast<size_t>(ended.index)];
    if (row.present) left_[row.pid] = row;
    erase(ended.index);
  }
}

// A link refers to a row, not to a pid: a process that was given the pid later is not the parent.
void Ledger::link_parents() {
  for (Row& row : rows_) {
    if (!row.in_use) continue;
    const auto parent = by_pid_.find(row.ppid);
    row.parent = parent == by_pid_.end() || row.ppid == row.pid ? kNone : parent->second;
  }
}

// Counts the ancestors that end too, because no credit passes through a row that stays. Bounded,
// because the links come from text that may be wrong.
uint32_t Ledger::depth_of(int index) const {
  uint32_t depth = 0;
  int at = rows_[static_cast<size_t>(index)].parent;
  while (at != kNone && rows_[static_cast<size_t>(at)].ends() && depth < rows_.size()) {
    ++depth;
    at = rows_[static_cast<size_t>(at)].parent;
  }
  return depth;
}

Ledger::Row* Ledger::mark_present(int pid, uint64_t starttime) {
  const int index = find(pid, starttime);
  if (index == kNone) return nullptr;
  Row& row = rows_[static_cast<size_t>(index)];
  row.present = true;
  return &row;
}

int Ledger::find(int pid, uint64_t starttime) const {
  const auto found = by_pid_.find(pid);
  if (found == by_pid_.end()) return kNone;
  return rows_[static_cast<size_t>(found->second)].starttime == starttime ? found->second : kNone;
}

int Ledger::insert(int pid, uint64_t starttime) {
  int index;
  if (free_.empty()) {
    index = static_cast<int>(rows_.size());
    rows_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Row& row = rows_[static_cast<size_t>(index)];
  row = {};
  row.pid = pid;
  row.starttime = starttime;
  row.in_use = true;
  by_pid_[pid] = index;
  restore(row);
  return index;
}

// Its earlier values are already in the total. The credit for them is taken back, because the end
// of the row will credit them anew.
void Ledger::restore(Row& row) {
  const auto left = left_.find(row.pid);
  if (left == left_.end()) return;
  if (left->second.starttime == row.starttime) {
    std::copy(std::begin(left->second.accounts), std::end(left->second.accounts), row.accounts);
    const auto parent = by_pid_.find(left->second.ppid);
    const int heir = parent == by_pid_.end() ? reaper() : parent->second;
    if (reaper() != kNone && heir != kNone) {
      for (uint32_t c = 0; c < channel::kCount; ++c) {
        const Account& had = row.accounts[c];
        Account& from = rows_[static_cast<size_t>(heir)].accounts[c];
        const uint64_t used = saturating_add(had.own, had.reaped);
        from.credit = saturating_sub(from.credit, saturating_add(used, had.credit));
        from.inherited = std::min(from.inherited, from.credit);
      }
    }
  }
  left_.erase(left);
}

void Ledger::erase(int index) {
  Row& row = rows_[static_cast<size_t>(index)];
  row.in_use = false;
  const auto found = by_pid_.find(row.pid);
  if (found != by_pid_.end() && found->second == index) by_pid_.erase(found);
  free_.push_back(index);
}

}  // namespace episcope
