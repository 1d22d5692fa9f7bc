// Counts each byte of io.stat once. If a block device consists of others (LVM, LUKS, md,
// multipath), io.stat reports a write once for every layer that it passes. The twin of
// src/engine/js/block-stack.ts.
#pragma once

#include <cstdint>
#include <vector>

#include "parse_cgroup.h"

namespace episcope {

class BlockStack {
 public:
  /// `sys` is the path of the sysfs, relative to `dirfd`, which the caller owns. A device that is
  /// not in it is counted by itself.
  void set_sysfs(int dirfd, const char* sys) {
    dirfd_ = dirfd;
    sys_ = sys;
  }

  /// Counts the devices at the bottom, which have no `slaves`. If they report less than a layer
  /// above them (request-based multipath, bios that are only remapped), that layer counts instead.
  IoStat sum(const std::vector<IoDevice>& devices, uint64_t now_ns);

 private:
  struct Device {
    uint64_t number = 0;
    uint32_t group = 0;       // shared by all devices of one stack
    bool is_stacked = false;  // consists of other devices
    bool is_top = true;       // no other device contains it
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
