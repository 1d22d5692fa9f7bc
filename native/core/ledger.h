// Sums what a process tree consumed, including children that exited between two samples. Does no
// I/O: the caller stores the rows. The twin of src/engine/js/ledger.ts; both run
// test/tables/ledger.txt.
//
// The time of a process appears twice: first as its own and, once it is reaped, in its parent.
// Therefore a vanished row credits its parent with what was already counted, and the time that the
// parent reaps is new only beyond that credit. If a whole branch exited between two samples, the
// share of the credit that passed through a vanished row may reach the reaper instead, because the
// reaper reaps orphans.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "schema.h"

namespace episcope {

/// The values that one sample read of one process. A channel whose bit in `channels` is 0 was not
/// read and keeps its value.
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
  /// Sets the process that reaps the orphans of the tree, or 0. Its own time does not count.
  void set_reaper(int pid) { reaper_pid_ = pid; }
  /// Starts a sample. It is followed by one call per row (the last call counts) and settle(). The
  /// order of the rows does not matter to the ledger.
  void begin();
  /// Stores a row. A process in state X counts as vanished, because its time has already been added
  /// to its parent.
  void store(const Observation& seen);
  /// Keeps the values of a row whose process exists but could not be read.
  void keep(int pid, uint64_t starttime);
  /// Removes a row whose process left the episode alive. Its contribution stays. With a reaper, its
  /// parent (or else the reaper) is credited, since it will reap the process. A row that comes back
  /// continues.
  void leave(int pid, uint64_t starttime);
  /// Closes the row of a process that exited. The reaped values of `seen` are its total usage,
  /// including what it reaped itself. Returns false if there is no such row.
  bool close(const Observation& seen);
  void settle();

  /// The sum over the whole lifetime of all rows ever seen, saturating.
  uint64_t total(uint32_t index) const { return totals_[index]; }
  size_t rows() const { return by_pid_.size(); }
  /// Whether any row has vanished so far: what it used after its last sample may be missing.
  bool any_vanished() const { return any_vanished_; }

 private:
  struct Account {
    uint64_t own = 0;
    uint64_t reaped = 0;
    uint64_t counted_own = 0;  // the share that is in the total
    uint64_t counted_reaped = 0;
    uint64_t credit = 0;     // future growth of reaped that is already in the total
    uint64_t inherited = 0;  // the share of the credit that passed through a vanished row
  };
  struct Row {
    int pid = 0;
    uint64_t starttime = 0;
    int ppid = 0;
    int parent = kNone;  // index of a row
    bool in_use = false;
    bool present = false;  // in the sample that is being settled
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
  std::unordered_map<int, Row> left_;  // rows that left alive, by pid
  uint64_t totals_[channel::kCount] = {};
  bool any_vanished_ = false;
  int reaper_pid_ = 0;
};

}  // namespace episcope
