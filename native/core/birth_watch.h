// How the children that were born since the last sample are found, so that the cost follows what
// changed. A process of thousands of threads has as many lists of children, and none of them tells
// whether it changed. But whoever is born takes the next pid, and /proc/loadavg tells the last one:
// of a large tree only the numbers are looked at that were handed out since. The twin of
// src/engine/js/birth-watch.ts.
#pragma once

#include <cstdint>
#include <vector>

#include "kept_file.h"
#include "proc_root.h"

namespace episcope {

enum class Search {
  kLists,   // read every list of children
  kBirths,  // look at the numbers that were handed out
  kNone,    // too much was born, and the lists were read too lately: some may be missing
};

class BirthWatch {
 public:
  void open(const ProcRoot& root) { root_ = root; }
  void close();

  /// A sample begins: how it is to look for children. `lists`: how many lists of children there
  /// are.
  Search begin(uint64_t lists, uint64_t now_ns, ReadBuffer& buffer);
  /// The lists were read, from the begin on.
  void searched(uint64_t now_ns);

  /// For kBirths: the numbers to look at, parents before children.
  const std::vector<int>& born() const { return born_; }
  /// Nothing is there by the number yet: a birth may be under way, and it is looked at once more.
  void not_there(int pid);

 private:
  int last_pid(ReadBuffer& buffer);
  void list_born(int from, int to);

  ProcRoot root_;
  KeptFile loadavg_{"loadavg"};
  int last_pid_ = 0;  // 0: not known
  uint64_t began_ns_ = 0;
  uint64_t ended_ns_ = 0;
  uint64_t cost_ns_ = 0;
  std::vector<int> born_;
  std::vector<int> late_;  // not there at this sample, and not looked for a second time
  size_t retried_ = 0;     // how many of born_ are looked for a second time
};

}  // namespace episcope
