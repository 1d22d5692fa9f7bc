#include "block_stack.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "directory_entries.h"
#include "limits.h"
#include "owned_descriptor.h"

namespace episcope {
namespace {

constexpr size_t kPathSize = 512;

bool read_device_number(int dirfd, const char* path, uint64_t& number) {
  const OwnedDescriptor file(openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return false;
  char text[32];
  const ssize_t size = read(file.get(), text, sizeof text);
  if (size <= 0) return false;
  const Text line(text, static_cast<size_t>(size));
  return parse_device_number(line.substr(0, line.find('\n')), number);
}

/// Returns the disk of a partition, because io.stat reports whole disks.
bool disk_of(int slavesfd, const char* name, uint64_t& number) {
  char path[kPathSize];
  std::snprintf(path, sizeof path, "%s/partition", name);
  const bool is_partition = faccessat(slavesfd, path, F_OK, 0) == 0;
  std::snprintf(path, sizeof path, is_partition ? "%s/../dev" : "%s/dev", name);
  return read_device_number(slavesfd, path, number);
}

}  // namespace

// Hot path: does not allocate while the devices stay the same.
IoStat BlockStack::sum(const std::vector<IoDevice>& devices, uint64_t now_ns) {
  bool is_known = saturating_sub(now_ns, looked_ns_) < kBlockStackPeriodNs;
  for (const IoDevice& device : devices) is_known = is_known && find(device.number) != nullptr;
  if (!is_known) {
    look(devices);
    looked_ns_ = now_ns;
  }
  std::fill(groups_.begin(), groups_.end(), Group{});
  for (const IoDevice& device : devices) {
    const Device* known = find(device.number);
    if (known == nullptr) continue;
    Group& group = groups_[known->group];
    for (uint32_t f = 0; f < kIoFigures; ++f) {
      const uint64_t value = device.figures.figures[f];
      if (!known->is_stacked) group.bottom[f] = saturating_add(group.bottom[f], value);
      if (known->is_top) group.top[f] = saturating_add(group.top[f], value);
    }
  }
  IoStat sums;
  for (const Group& group : groups_) {
    for (uint32_t f = 0; f < kIoFigures; ++f) {
      const uint64_t once = std::max(group.bottom[f], group.top[f]);
      sums.figures[f] = saturating_add(sums.figures[f], once);
    }
  }
  return sums;
}

void BlockStack::look(const std::vector<IoDevice>& devices) {
  devices_.clear();
  for (const IoDevice& device : devices) devices_.push_back({.number = device.number});
  const auto by_number = [](const Device& a, const Device& b) { return a.number < b.number; };
  const auto same = [](const Device& a, const Device& b) { return a.number == b.number; };
  std::sort(devices_.begin(), devices_.end(), by_number);
  devices_.erase(std::unique(devices_.begin(), devices_.end(), same), devices_.end());
  for (size_t i = 0; i < devices_.size(); ++i) devices_[i].group = static_cast<uint32_t>(i);
  groups_.assign(devices_.size(), Group{});
  for (size_t i = 0; i < devices_.size(); ++i) {
    if (devices_[i].number != kUnknownDevice) look_beneath(devices_[i].number, i, kMaxBlockDepth);
  }
}

/// Also searches through devices that io.stat does not report.
void BlockStack::look_beneath(uint64_t number, size_t above, int depth) {
  if (depth == 0) return;
  char path[kPathSize];
  std::snprintf(path, sizeof path, "%s/dev/block/%u:%u/slaves", sys_,
                static_cast<unsigned>(number >> 32), static_cast<unsigned>(number & 0xffffffff));
  const OwnedDescriptor slaves(openat(dirfd_, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!slaves.is_open()) return;
  (void)for_each_entry(slaves.get(), [&](const char* name, unsigned char) {
    devices_[above].is_stacked = true;
    uint64_t lower = 0;
    if (!disk_of(slaves.get(), name, lower) || lower == number) return;
    if (Device* device = find(lower); device != nullptr) {
      device->is_top = false;
      const uint32_t joined = device->group;
      for (Device& each : devices_) {
        if (each.group == joined) each.group = devices_[above].group;
      }
    } else {
      look_beneath(lower, above, depth - 1);
    }
  });
}

BlockStack::Device* BlockStack::find(uint64_t number) {
  const auto found = std::lower_bound(
      devices_.begin(), devices_.end(), number,
      [](const Device& device, uint64_t wanted) { return device.number < wanted; });
  return found == devices_.end() || found->number != number ? nullptr : &*found;
}

}  // namespace episcope
