#include "ledger.h"

#include <algorithm>

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
    // The kernel scales user and system from samples: they can step back a little between reads.
    Account& account = row.accounts[c];
    account.own = std::max(account.own, seen.own[c]);
    account.reaped = std::max(account.reaped, seen.reaped[c]);
  }
}

void Ledger::keep(int pid, uint64_t starttime) { mark_present(pid, starttime); }

void Ledger::leave(int pid, uint64_t starttime) {
  if (Row* row = mark_present(pid, starttime)) row->leaving = true;
}

void Ledger::settle() {
  credit_vanished();
  count_present();
  erase_ended();
  link_parents();
}

// Deepest first, so that what a grandchild left is in its parent's account before that is passed
// on.
void Ledger::credit_vanished() {
  vanished_.clear();
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i].in_use || rows_[i].present) continue;
    const int index = static_cast<int>(i);
    vanished_.push_back({depth_of(index), index});
  }
  if (vanished_.empty()) return;
  any_vanished_ = true;
  std::sort(vanished_.begin(), vanished_.end(), [](const Vanished& a, const Vanished& b) {
    return a.depth != b.depth ? a.depth > b.depth : a.index < b.index;
  });
  for (const Vanished& vanished : vanished_) {
    const Row& row = rows_[static_cast<size_t>(vanished.index)];
    if (row.parent == kNone) continue;
    Row& parent = rows_[static_cast<size_t>(row.parent)];
    for (uint32_t c = 0; c < channel::kCount; ++c) {
      const Account& account = row.accounts[c];
      const uint64_t used = saturating_add(account.own, account.reaped);
      uint64_t& credit = parent.accounts[c].credit;
      credit = saturating_add(credit, saturating_add(used, account.credit));
    }
  }
}

void Ledger::count_present() {
  for (Row& row : rows_) {
    if (!row.in_use || !row.present) continue;
    for (uint32_t c = 0; c < channel::kCount; ++c) {
      Account& account = row.accounts[c];
      const uint64_t own = account.own - account.counted_own;
      const uint64_t reaped = account.reaped - account.counted_reaped;
      const uint64_t covered = std::min(reaped, account.credit);
      account.credit -= covered;
      totals_[c] = saturating_add(totals_[c], saturating_add(own, reaped - covered));
      account.counted_own = account.own;
      account.counted_reaped = account.reaped;
    }
  }
}

void Ledger::erase_ended() {
  for (const Vanished& vanished : vanished_) erase(vanished.index);
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].in_use && rows_[i].leaving) erase(static_cast<int>(i));
  }
}

// A link names a row, not a pid number: a number that is used again is not the parent.
void Ledger::link_parents() {
  for (Row& row : rows_) {
    if (!row.in_use) continue;
    const auto parent = by_pid_.find(row.ppid);
    row.parent = parent == by_pid_.end() || row.ppid == row.pid ? kNone : parent->second;
  }
}

// Counts vanished ancestors only: no credit passes through a row that lives. Bounded, since the
// links come from text that may lie.
uint32_t Ledger::depth_of(int index) const {
  uint32_t depth = 0;
  int at = rows_[static_cast<size_t>(index)].parent;
  while (at != kNone && !rows_[static_cast<size_t>(at)].present && depth < rows_.size()) {
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
  return index;
}

void Ledger::erase(int index) {
  Row& row = rows_[static_cast<size_t>(index)];
  row.in_use = false;
  const auto found = by_pid_.find(row.pid);
  if (found != by_pid_.end() && found->second == index) by_pid_.erase(found);
  free_.push_back(index);
}

}  // namespace episcope
