#include "cgroup_reader.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "cgroup_directory.h"

namespace episcope {
namespace {

using part::kCpuIndex;
using part::kExtraIndex;
using part::kIoIndex;
using part::kMemoryIndex;

constexpr const char* kRequiredFiles[] = {
    "cpu.stat", "memory.current", "memory.peak",  "memory.stat",
    "io.stat",  "cgroup.events",  "cgroup.procs",
};

constexpr const char* name_of(uint32_t file) {
  constexpr uint32_t kCount = std::size(kRequiredFiles);
  return file < kCount ? kRequiredFiles[file] : kOptionalFiles[file - kCount].name;
}

constexpr uint64_t words_of_parts(uint32_t parts) {
  uint64_t words = 0;
  for (uint32_t index = 0; index < part::kCount; ++index) {
    if ((parts >> index) & 1) words |= part::kWords[index];
  }
  return words;
}

constexpr uint64_t kMemoryStatWords = words_of(kMemoryStatKeys);

}  // namespace

ReadFailure CgroupReader::open(const char* root, const char* path, bool require_cgroupfs) {
  const uint64_t memory_stat_period_ns = memory_stat_period_ns_;
  *this = CgroupReader();
  memory_stat_period_ns_ = memory_stat_period_ns;
  OwnedDescriptor opened;
  const ReadFailure failure =
      open_cgroup_directory(root, path, require_cgroupfs, opened, is_cgroupfs_);
  if (failure) return failure;
  dirfd_ = KeptDescriptor::always(std::move(opened));
  for (uint32_t i = 0; i < kFileCount; ++i) files_[i] = KeptFile(name_of(i), is_cgroupfs_);
  // The host's devices are not those of a recorded tree, which may have a recorded sysfs instead.
  block_stack_.set_sysfs(directory_fd(), is_cgroupfs_ ? "/sys" : "sys");
  return {};
}

void CgroupReader::close() {
  for (KeptFile& file : files_) file.close();
  dirfd_ = {};
}

// Hot path: does not allocate once the files are open.
uint32_t CgroupReader::read(uint32_t parts, uint64_t now_ns, ReadBuffer& buffer, Reading& out) {
  parts &= part::kAll;
  begin(parts, out);
  if (!removed_) {
    if (parts & part::kCpu) read_cpu(buffer, out);
    if (parts & part::kMemory) read_memory(now_ns, buffer, out);
    if (parts & part::kIo) read_io(now_ns, buffer, out);
    read_optional(parts, buffer, out);
  }
  if (removed_) {
    fail_all(parts, out);
    return 0;
  }
  for (uint32_t index = 0; index < part::kCount; ++index) {
    if (failures_[index]) parts &= ~(1u << index);
  }
  return parts;
}

Populated CgroupReader::populated(ReadBuffer& buffer) {
  seen_alive_ = false;
  CgroupEvents events;
  if (parsed(kCgroupEvents, buffer, parse_cgroup_events, events)) return Populated::kUnknown;
  return events.populated == 0 ? Populated::kNo : Populated::kYes;
}

bool CgroupReader::frozen(ReadBuffer& buffer) {
  seen_alive_ = false;
  CgroupEvents events;
  if (parsed(kCgroupEvents, buffer, parse_cgroup_events, events)) return false;
  return events.frozen == 1;
}

bool CgroupReader::list_members(ReadBuffer& buffer, std::vector<int>& pids) {
  return is_open() && list_cgroup_members(directory_fd(), files_[kCgroupProcs], buffer, pids);
}

void CgroupReader::begin(uint32_t parts, Reading& out) {
  seen_alive_ = false;
  extra_count_ = 0;
  for (uint32_t index = 0; index < part::kCount; ++index) {
    if (!((parts >> index) & 1)) continue;
    failures_[index] = {};
    out.unset_all(part::kWords[index]);
  }
}

void CgroupReader::fail_all(uint32_t parts, Reading& out) {
  begin(parts, out);
  for (uint32_t index = 0; index < part::kCount; ++index) {
    if (!((parts >> index) & 1)) continue;
    failures_[index].code = ReadCode::kCgroupNotFound;
    failures_[index].error_number = ENOENT;
  }
}

void CgroupReader::read_cpu(ReadBuffer& buffer, Reading& out) {
  const auto parse = [](Text text, Reading& words) {
    return parse_words(text, kCpuStatKeys, words);
  };
  failures_[kCpuIndex] = parsed<Reading>(kCpuStat, buffer, parse, out);
  if (failures_[kCpuIndex]) return;
  // INV-CPU001: the kernel derives user and system from samples, so their sum can exceed the usage.
  const uint64_t split = saturating_add(out.get(word::kCpuUserNs), out.get(word::kCpuSystemNs));
  out.set(word::kCpuNs, std::max(out.get(word::kCpuNs), split));
}

void CgroupReader::read_memory(uint64_t now_ns, ReadBuffer& buffer, Reading& out) {
  memory_stat_carried_ = false;
  failures_[kMemoryIndex] =
      parsed(kMemoryCurrent, buffer, parse_gauge<word::kMemCurrentBytes>, out);
  if (failures_[kMemoryIndex]) return;
  if (!refresh_memory_stat(now_ns, buffer)) {
    out.unset(word::kMemCurrentBytes);
    return;
  }
  out.take(memory_stat_, kMemoryStatWords);
  const uint64_t current = out.get(word::kMemCurrentBytes);
  highest_current_ = std::max(highest_current_, current);
  if (!out.has(word::kMemRssBytes)) out.set(word::kMemRssBytes, current);
  // The kernel's pgfault includes the major faults.
  if (out.has(word::kPageFaultsMinor) && out.has(word::kPageFaultsMajor)) {
    out.set(word::kPageFaultsMinor,
            saturating_sub(out.get(word::kPageFaultsMinor), out.get(word::kPageFaultsMajor)));
  } else {
    out.unset(word::kPageFaultsMinor);
  }
  read_peak(out.get(word::kMemRssBytes), buffer, out);
}

// memory.stat has its own period because it is the most expensive file of a cgroup.
bool CgroupReader::refresh_memory_stat(uint64_t now_ns, ReadBuffer& buffer) {
  if (memory_stat_fresh_ && saturating_sub(now_ns, memory_stat_read_ns_) < memory_stat_period_ns_) {
    memory_stat_carried_ = true;
    return true;
  }
  const auto parse = [](Text text, Reading& words) {
    return parse_words(text, kMemoryStatKeys, words);
  };
  const ReadFailure refused = parsed<Reading>(kMemoryStat, buffer, parse, memory_stat_);
  memory_stat_fresh_ = !refused;
  if (!refused) {
    memory_stat_read_ns_ = now_ns;
    return true;
  }
  memory_stat_ = {};
  if (refused.code == ReadCode::kControllerNotEnabled) return true;
  failures_[kMemoryIndex] = refused;
  return false;
}

// Before Linux 5.19 there is no memory.peak; the highest memory.current seen replaces it. The
// maximum with the rss keeps INV-MEM001 while the peak of the kernel lags behind.
void CgroupReader::read_peak(uint64_t rss, ReadBuffer& buffer, Reading& out) {
  uint64_t peak = 0;
  const ReadFailure refused = parsed(kMemoryPeak, buffer, parse_single, peak);
  if (!refused) {
    out.set(word::kMemPeakBytes, std::max(peak, rss));
  } else if (refused.code == ReadCode::kControllerNotEnabled) {
    out.set(word::kMemPeakBytes, std::max(highest_current_, rss));
  } else {
    fail_extra(refused);
  }
}

void CgroupReader::read_io(uint64_t now_ns, ReadBuffer& buffer, Reading& out) {
  failures_[kIoIndex] = parsed(kIoStat, buffer, parse_io_devices, io_devices_);
  if (failures_[kIoIndex]) return;
  const IoStat stat = block_stack_.sum(io_devices_, now_ns);
  for (uint32_t f = 0; f < kIoFigures; ++f) out.set(kIoKeys[f].word, stat.figures[f]);
}

// If PSI was disabled at boot, its files can be opened, but reading always fails with EOPNOTSUPP.
void CgroupReader::read_optional(uint32_t parts, ReadBuffer& buffer, Reading& out) {
  for (uint32_t i = 0; i < kOptionalFileCount; ++i) {
    const OptionalFile& file = kOptionalFiles[i];
    const uint32_t index = kFirstOptional + i;
    if ((words_of_parts(parts) & part::bit(file.word)) == 0 || unsupported_[index]) continue;
    const ReadFailure refused = parsed(index, buffer, file.parse, out);
    if (refused.error_number == EOPNOTSUPP) {
      unsupported_[index] = true;
      files_[index].close();
    } else if (refused && refused.code != ReadCode::kControllerNotEnabled) {
      fail_extra(refused);
    }
  }
}

void CgroupReader::fail_extra(const ReadFailure& refused) {
  extra_failures_[extra_count_++] = refused;
  failures_[kExtraIndex] = extra_failures_[0];
}

template <typename Parsed>
ReadFailure CgroupReader::parsed(uint32_t index, ReadBuffer& buffer,
                                 ParseError (*parse)(std::string_view, Parsed&), Parsed& out) {
  const ReadResult result = load(index, buffer);
  ReadFailure failure{.code = ReadCode::kCgroupRead, .error_number = result.error_number};
  if (result.status == ReadStatus::kOk) {
    const ParseError error = parse({buffer.bytes, buffer.size}, out);
    if (!error) return {};
    failure = {.code = ReadCode::kCgroupParse, .reason = error.reason, .offset = error.offset};
  } else if (result.status == ReadStatus::kAbsent) {
    failure.code = ReadCode::kControllerNotEnabled;
  } else if (result.status == ReadStatus::kTooLarge) {
    failure.reason = ParseReason::kTooLarge;
  }
  failure.set_file(name_of(index));
  return failure;
}

// Disabling and enabling a controller makes kept descriptors fail with ENODEV although the
// directory still exists. The file is therefore opened again before the failure is accepted.
ReadResult CgroupReader::load(uint32_t index, ReadBuffer& buffer) {
  if (!is_open() || removed_) return {ReadStatus::kAbsent, ENOENT};
  ReadResult result = files_[index].read(directory_fd(), buffer);
  if (result.status == ReadStatus::kDead) result = files_[index].read(directory_fd(), buffer);
  const bool suspicious =
      result.status == ReadStatus::kAbsent || result.status == ReadStatus::kDead;
  if (suspicious && !seen_alive_) {
    removed_ = cgroup_directory_is_gone(directory_fd(), is_cgroupfs_);
    seen_alive_ = !removed_;
  }
  return result;
}

}  // namespace episcope
