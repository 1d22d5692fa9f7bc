// Reads one cgroup v2 directory, which is opened once, with one kept descriptor per kernel file.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "block_stack.h"
#include "kept_file.h"
#include "parse_cgroup.h"
#include "reading.h"

namespace episcope {

enum class Populated { kUnknown, kNo, kYes };

class CgroupReader {
 public:
  CgroupReader() = default;

  /// Opens `root` without following symlinks, then `path` beneath it (relative; "" is the root).
  ReadFailure open(const char* root, const char* path, bool require_cgroupfs);
  void close();
  bool is_open() const { return dirfd_.is_open(); }

  /// Reads the requested parts into `out` and returns those that are available. Only the words of
  /// these parts are changed; absent values are unset. `now_ns` is CLOCK_MONOTONIC, used for the
  /// memory.stat period.
  uint32_t read(uint32_t parts, uint64_t now_ns, ReadBuffer& buffer, Reading& out);

  /// Why part `index` (0 cpu, 1 memory, 2 io, 3 extra) was unavailable when it was last read.
  const ReadFailure& failure(uint32_t index) const { return failures_[index]; }

  /// The failures of the last read that made no part of figures unavailable: of memory.peak, then
  /// of the optional files, in the order in which they are read. Each file has one at most; an
  /// absent file is not a failure. failure(part::kExtraIndex) has the first of them.
  std::span<const ReadFailure> extra_failures() const { return {extra_failures_, extra_count_}; }

  /// Whether the directory was removed. Detected when read() or populated() finds a dead file.
  bool removed() const { return removed_; }

  /// Reads cgroup.events: whether the cgroup or a descendant has a live process.
  Populated populated(ReadBuffer& buffer);

  /// Reads cgroup.events: whether the cgroup and its descendants are frozen. Returns false if that
  /// is unknown.
  bool frozen(ReadBuffer& buffer);

  /// The descriptor of the directory, which the reader owns.
  int directory_fd() const { return dirfd_.get(); }
  /// Whether the directory is on a cgroup2 file system, not a fixture or a recorded tree.
  bool is_cgroupfs() const { return is_cgroupfs_; }

  /// The kept descriptor of cgroup.events, which polls as changed until the next populated(). −1
  /// before the first populated(), beyond the descriptor budget, for a fixture, and after removal.
  int events_fd() const { return removed_ ? -1 : files_[kCgroupEvents].fd(); }

  /// Sets the minimum time between two reads of memory.stat; 0 reads it every time.
  void set_memory_stat_period(uint64_t ns) { memory_stat_period_ns_ = ns; }

  /// Makes the next read of the memory part read memory.stat, regardless of the period.
  void expire_memory_stat() { memory_stat_fresh_ = false; }

  /// Whether the last memory part has the values of an earlier read of memory.stat.
  bool memory_stat_carried() const { return memory_stat_carried_; }

  /// Appends the pids of cgroup.procs of the cgroup and of every descendant. Returns false if a
  /// list could not be read completely (removed, not permitted, larger than 64 KiB): the pids are
  /// then a lower bound.
  bool list_members(ReadBuffer& buffer, std::vector<int>& pids);

 private:
  enum FileIndex : uint32_t {
    kCpuStat,
    kMemoryCurrent,
    kMemoryPeak,
    kMemoryStat,
    kIoStat,
    kCgroupEvents,
    kCgroupProcs,
    kFirstOptional,  // kOptionalFiles
    kFileCount = kFirstOptional + kOptionalFileCount,
  };

  void begin(uint32_t parts, Reading& out);
  void fail_all(uint32_t parts, Reading& out);
  void read_cpu(ReadBuffer& buffer, Reading& out);
  void read_memory(uint64_t now_ns, ReadBuffer& buffer, Reading& out);
  void read_peak(uint64_t rss, ReadBuffer& buffer, Reading& out);
  void read_io(uint64_t now_ns, ReadBuffer& buffer, Reading& out);
  void read_optional(uint32_t parts, ReadBuffer& buffer, Reading& out);
  bool refresh_memory_stat(uint64_t now_ns, ReadBuffer& buffer);
  void fail_extra(const ReadFailure& refused);
  ReadResult load(uint32_t index, ReadBuffer& buffer);
  /// Reads and parses the file. `out` is valid only if no failure is returned.
  template <typename Parsed>
  ReadFailure parsed(uint32_t index, ReadBuffer& buffer,
                     ParseError (*parse)(std::string_view, Parsed&), Parsed& out);

  KeptFile files_[kFileCount];
  /// The kernel was booted without support for the file (PSI), so it is not read again.
  bool unsupported_[kFileCount] = {};
  ReadFailure failures_[part::kCount];
  /// memory.peak and the optional files.
  ReadFailure extra_failures_[1 + kOptionalFileCount];
  uint32_t extra_count_ = 0;
  KeptDescriptor dirfd_;
  bool is_cgroupfs_ = false;
  bool removed_ = false;
  /// During this read a file was absent, but the directory still existed.
  bool seen_alive_ = false;

  BlockStack block_stack_;
  std::vector<IoDevice> io_devices_;

  Reading memory_stat_;             // the words of memory.stat, unchanged
  bool memory_stat_fresh_ = false;  // memory_stat_ has values that may be carried over
  uint64_t memory_stat_read_ns_ = 0;
  uint64_t memory_stat_period_ns_ = 0;
  bool memory_stat_carried_ = false;
  uint64_t highest_current_ = 0;
};

}  // namespace episcope
