// The ledger of a process tree: what its processes used, those included that ended between two
// samples. Pure: it is told rows and does no I/O. The twin of src/engine/js/ledger.ts; both run
// test/tables/ledger.txt.
//
// A process's time appears twice, first as its own and then, reaped, within its parent's. So a row
// that vanished leaves its parent a credit of what was counted already, and what the parent reaps
// is new only beyond that credit. Where a whole branch ended between two samples, the part of the
// credit that passed through a vanished row may be the reaper's instead: an orphan is reaped by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "schema.h"

namespace episcope {

/// What one sample read of one process. A channel whose bit in `channels` is 0 was not read and
/// stays.
struct Observation {
  int pid = 0;
  uint64_t starttime = 0;
  int ppid = 0;
  char state = 'R';
  uint32_t channels = 0;
  uint64_t own[channel::kCount] = {};
  uint64_t reaped[channel::kCount] = {};

  void set(uint32_t index, uint64_t own_value, uint64_t reaped_value) {
    channels |= uint32_t{1} << index;
    own[index] = own_value;
    reaped[index] = reaped_value;
  }
};

class Ledger {
 public:
  /// The row that reaps the orphans of the tree, whose own time does not count; 0: there is none.
  void set_reaper(int pid) { reaper_pid_ = pid; }
  /// A sample is begin, one call a row (of two the last counts), settle. The order of the rows
  /// makes no difference to the ledger; the reader reads parents before children.
  void begin();
  /// The row was read. State X is no row: its time is its parent's already, and it counts as
  /// vanished.
  void store(const Observation& seen);
  /// The row is there and could not be read: it keeps what it has.
  void keep(int pid, uint64_t starttime);
  /// The row left the episode alive: its contribution stays. With a reaper, whoever will reap it is
  /// credited, its parent or else the reaper; without, nobody. A row that comes back goes on.
  void leave(int pid, uint64_t starttime);
  /// The row has ended, and what `seen` has as reaped is all that it used in its life, with what it
  /// reaped itself. False where it is no row.
  bool close(const Observation& seen);
  void settle();

  /// Over all rows ever seen, their whole lives, saturating.
  uint64_t total(uint32_t index) const { return totals_[index]; }
  size_t rows() const { return by_pid_.size(); }
  /// A row has vanished at some sample: what it used after it was last seen may be missing.
  bool any_vanished() const { return any_vanished_; }

 private:
  struct Account {
    uint64_t own = 0;
    uint64_t reaped = 0;
    uint64_t counted_own = 0;  // what of them is in the total
    uint64_t counted_reaped = 0;
    uint64_t credit = 0;     // reaped time to come that is in the total already
    uint64_t inherited = 0;  // what of the credit passed through a row that vanished
  };
  struct Row {
    int pid = 0;
    uint64_t starttime = 0;
    int ppid = 0;
    int parent = kNone;  // index of a row
    bool in_use = false;
    bool present = false;  // at the sample that is being settled
    bool leaving = false;
    Account accounts[channel::kCount];
    bool ends() const { return !present || leaving; }
  };
  static constexpr int kNone = -1;

  int find(int pid, uint64_t starttime) const;
  int insert(int pid, uint64_t starttime);
  void restore(Row& row);
  void erase(int index);
  Row* mark_present(int pid, uint64_t starttime);
  void credit_ended();
  int heir_of(const Row& row) const;
  int reaper() const;
  void count_present();
  void count(Row& row);
  void move_inherited(Row& to_reaper);
  void erase_ended();
  void link_parents();
  uint32_t depth_of(int index) const;

  struct Ended {
    uint32_t depth;
    int index;
  };
  std::vector<Row> rows_;
  std::vector<int> free_;
  std::vector<Ended> ended_;
  std::vector<int> heirs_;  // rows whose credit passed through a vanished one
  std::unordered_map<int, int> by_pid_;
  std::unordered_map<int, Row> left_;  // by pid, as they left
  uint64_t totals_[channel::kCount] = {};
  bool any_vanished_ = false;
  int reaper_pid_ = 0;
};

}  // namespace episcope
