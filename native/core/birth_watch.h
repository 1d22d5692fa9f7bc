// Decides how to find the children that were born since the last sample, at a cost that depends on
// the number of births. A process with thousands of threads has as many lists of children, none of
// which shows whether it changed. But pids are assigned in order, and /proc/loadavg shows the last
// one: in a large tree only the pids assigned since the last sample are checked. The twin of
// src/engine/js/birth-watch.ts.
#pragma once

#include <cstdint>
#include <vector>

#include "kept_file.h"
#include "proc_root.h"

namespace episcope {

enum class Search {
  kLists,   // read every list of children
  kBirths,  // check the pids that were assigned
  kNone,    // too many births, and the lists were read too recently: some children may be missing
};

class BirthWatch {
 public:
  void open(const ProcRoot& root) { root_ = root; }

  /// Begins a sample and returns how to search for children. `lists` is the number of lists of
  /// children.
  Search begin(uint64_t lists, uint64_t now_ns, ReadBuffer& buffer);
  /// Reports that the lists were read in the time since begin().
  void searched(uint64_t now_ns);

  /// For kBirths: the pids to check, parents before children.
  const std::vector<int>& born() const { return born_; }
  /// Reports that no process has the pid yet. Its fork may be in progress, so the next sample
  /// checks it again.
  void not_there(int pid);

 private:
  int last_pid(ReadBuffer& buffer);
  void list_born(int from, int to);

  ProcRoot root_;
  KeptFile loadavg_{"loadavg"};
  int last_pid_ = 0;  // 0 if unknown
  uint64_t began_ns_ = 0;
  uint64_t ended_ns_ = 0;
  uint64_t cost_ns_ = 0;
  std::vector<int> born_;
  std::vector<int> late_;  // absent in this sample, and to be checked again
  size_t retried_ = 0;     // how many of born_ are checked for the second time
};

}  // namespace episcope
