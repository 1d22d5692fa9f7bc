// Counts each byte of io.stat once. Where a block device is made of others (LVM, LUKS, md,
// multipath) one write is told by every layer that it passes. The twin of
// src/engine/js/block-stack.ts.
#pragma once

#include <cstdint>
#include <vector>

#include "parse_cgroup.h"

namespace episcope {

class BlockStack {
 public:
  /// `sys` is the sysfs as an open directory that is the caller's, or the path of it beneath that.
  /// Devices of which it tells nothing count by themselves.
  void set_sysfs(int dirfd, const char* sys) {
    dirfd_ = dirfd;
    sys_ = sys;
  }

  /// The devices at the bottom count: those that have no `slaves`. A layer whose lower ones tell
  /// less than it does (request-based multipath, bios that are only remapped) counts in their
  /// place.
  IoStat sum(const std::vector<IoDevice>& devices, uint64_t now_ns);

 private:
  struct Device {
    uint64_t number = 0;
    uint32_t group = 0;       // of all that stand on one another
    bool is_stacked = false;  // made of others
    bool is_top = true;       // none of the others is made of it
  };
  struct Group {
    uint64_t bottom[kIoFigures] = {};
    uint64_t top[kIoFigures] = {};
  };

  void look(const std::vector<IoDevice>& devices);
  void look_beneath(uint64_t number, size_t above, int depth);
  Device* find(uint64_t number);

  int dirfd_ = -1;
  const char* sys_ = "";
  uint64_t looked_ns_ = 0;
  std::vector<Device> devices_;  // by number
  std::vector<Group> groups_;
};

}  // namespace episcope
