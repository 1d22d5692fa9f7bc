// One cgroup v2 directory, opened once; one kept descriptor per kernel file.
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
  CgroupReader(const CgroupReader&) = delete;
  CgroupReader& operator=(const CgroupReader&) = delete;
  ~CgroupReader() { close(); }

  /// Opens `root` without following any symlink, then `path` (relative, "" = the root) beneath it.
  ReadFailure open(const char* root, const char* path, bool require_cgroupfs);
  void close();
  bool is_open() const { return dirfd_ >= 0; }

  /// Reads the asked parts into `out` (the words of those parts only; what is absent is unset) and
  /// returns the parts that are available. `now_ns` is CLOCK_MONOTONIC, used for the memory.stat
  /// period.
  uint32_t read(uint32_t parts, uint64_t now_ns, ReadBuffer& buffer, Reading& out);

  /// Why part `index` (0 cpu, 1 memory, 2 io, 3 extra) was not available at the last read of it.
  const ReadFailure& failure(uint32_t index) const { return failures_[index]; }

  /// Every file of the extra part that failed at the last read, memory.peak first (it is read with
  /// the memory part); failure(3) is the first of them.
  std::span<const ReadFailure> extra_failures() const { return {extra_failures_, extra_count_}; }

  /// The directory itself is gone. Known after a read or populated() met a dead file.
  bool removed() const { return removed_; }

  /// cgroup.events, read now.
  Populated populated(ReadBuffer& buffer);

  /// Whether everything in it and below is frozen: cgroup.events, read now. False where that does
  /// not tell.
  bool frozen(ReadBuffer& buffer);

  /// The directory's descriptor, the reader's own.
  int directory_fd() const { return dirfd_; }
  /// On a cgroup2 file system: not a fixture or a recorded tree.
  bool is_cgroupfs() const { return is_cgroupfs_; }

  /// The kept descriptor of cgroup.events, which polls as changed until the next populated(); −1
  /// before the first one, beyond the descriptor budget, of a fixture, and once removed.
  int events_fd() const { return removed_ ? -1 : files_[kCgroupEvents].fd(); }

  /// Least time between two reads of memory.stat; 0 reads it each time.
  void set_memory_stat_period(uint64_t ns) { memory_stat_period_ns_ = ns; }

  /// The next memory part reads memory.stat whatever the period.
  void expire_memory_stat() { memory_stat_fresh_ = false; }

  /// The last memory part carried memory.stat's values from an earlier read.
  bool memory_stat_carried() const { return memory_stat_carried_; }

  /// Pids of cgroup.procs here and in every cgroup below, appended to `pids`. False when a list
  /// could not be read whole (vanished, not permitted, larger than 64 KiB): then the list is a
  /// lower bound.
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
  /// Reads the file and parses it into `out`, which is valid only where this is no failure.
  template <typename Parsed>
  ReadFailure parsed(uint32_t index, ReadBuffer& buffer,
                     ParseError (*parse)(std::string_view, Parsed&), Parsed& out);

  KeptFile files_[kFileCount];
  /// The kernel was started without what the file tells (PSI): it is not tried again.
  bool unsupported_[kFileCount] = {};
  ReadFailure failures_[part::kCount];
  /// memory.peak and the optional files.
  ReadFailure extra_failures_[1 + kOptionalFileCount];
  uint32_t extra_count_ = 0;
  int dirfd_ = -1;
  bool is_cgroupfs_ = false;
  bool removed_ = false;
  /// In this read an absent file was met and the directory was found alive.
  bool seen_alive_ = false;

  BlockStack block_stack_;
  std::vector<IoDevice> io_devices_;

  Reading memory_stat_;             // the words of memory.stat, as the kernel has them
  bool memory_stat_fresh_ = false;  // memory_stat_ holds values that may be carried
  uint64_t memory_stat_read_ns_ = 0;
  uint64_t memory_stat_period_ns_ = 0;
  bool memory_stat_carried_ = false;
  uint64_t highest_current_ = 0;
};

}  // namespace episcope
