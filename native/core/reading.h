// What readers fill and frames carry: the words of a slot (ring_layout.h), and why a part is
// missing.
#pragma once

#include <cstdint>
#include <cstring>

#include "limits.h"
#include "ring_layout.h"

namespace episcope {

/// The parts of a reading, as bits. A reader is asked for a set and answers with the set it could
/// read.
namespace part {
inline constexpr uint32_t kCpu = 1;
inline constexpr uint32_t kMemory = 2;
inline constexpr uint32_t kIo = 4;
inline constexpr uint32_t kExtra = 8;  // oom kills, pids, pressure: absent is no failure
inline constexpr uint32_t kAll = kCpu | kMemory | kIo | kExtra;
inline constexpr uint32_t kCount = 4;

constexpr uint64_t mask(uint32_t w) { return uint64_t{1} << w; }

/// The words of each part, by its index, as bits of word::kValid.
inline constexpr uint64_t kWords[kCount] = {
    mask(word::kCpuNs) | mask(word::kCpuUserNs) | mask(word::kCpuSystemNs) |
        mask(word::kCpuThrottledNs) | mask(word::kCpuNrThrottled),
    mask(word::kMemRssBytes) | mask(word::kMemPeakBytes) | mask(word::kMemCurrentBytes) |
        mask(word::kPageFaultsMajor) | mask(word::kPageFaultsMinor),
    mask(word::kIoReadBytes) | mask(word::kIoWriteBytes) | mask(word::kIoReadOps) |
        mask(word::kIoWriteOps),
    mask(word::kOomKills) | mask(word::kPids) | mask(word::kPressureCpuSomeNs) |
        mask(word::kPressureMemorySomeNs) | mask(word::kPressureMemoryFullNs) |
        mask(word::kPressureIoSomeNs) | mask(word::kPressureIoFullNs),
};
}  // namespace part

/// Codes of the contract that a reader can meet. The order is that of READ_CODES in
/// src/engine/failure.ts.
enum class ReadCode : uint32_t {
  kNone = 0,
  kCgroupNotFound,        // ERR_CGROUP_NOT_FOUND: the directory is gone
  kCgroupPath,            // ERR_CGROUP_PATH
  kNotCgroup2,            // ERR_NOT_CGROUP2
  kCgroupRead,            // ERR_CGROUP_READ
  kCgroupParse,           // ERR_CGROUP_PARSE
  kControllerNotEnabled,  // ERR_CONTROLLER_NOT_ENABLED: the file is not there, the directory is
  kProcGone,              // ERR_PROC_GONE
  kProcRead,              // ERR_PROC_READ
  kProcParse,             // ERR_PROC_PARSE
  kInvalidPid,            // ERR_INVALID_PID: a thread's id
  kProcNotAvailable,      // ERR_PROC_NOT_AVAILABLE: /proc is not that of our own pid namespace
};

/// Why kernel text was refused. The order is that of PARSE_REASONS in src/engine/failure.ts.
enum class ParseReason : uint32_t {
  kNone = 0,
  kEmpty,            // "empty file"
  kMalformedNumber,  // "malformed number"
  kMissingValue,     // "missing value"
  kMissingKey,       // "missing key"
  kTrailingBytes,    // "trailing bytes"
  kMalformedDevice,  // "malformed device"
  kKeyBeforeDevice,  // "key before a device"
  kMissingField,     // "missing field"
  kTooLarge,         // "larger than 64 KiB"
  kGaugeBelowZero,   // "gauge below zero"
  kHidden,           // "it lives, and /proc hides it"
  kForeignMember,    // "a member lives in a pid namespace that is not below ours"
};

/// One failure: which code, which errno, which file, where and why. Plain data, no allocation.
struct ReadFailure {
  ReadCode code = ReadCode::kNone;
  ParseReason reason = ParseReason::kNone;
  int error_number = 0;
  uint32_t offset = 0;  // byte offset in the text, for the parse codes
  int32_t pid = 0;      // whose /proc file, 0 for a cgroup's
  char file[32] = {};   // name inside the cgroup or /proc/<pid>, NUL-terminated

  explicit operator bool() const { return code != ReadCode::kNone; }
  void set_file(const char* name) {
    std::strncpy(file, name, sizeof file - 1);
    file[sizeof file - 1] = '\0';
  }
};

/// A set of slot words with their validity mask. Sources and quality are added by the episode
/// sampler.
struct Reading {
  uint64_t words[kRingSlotWords] = {};

  void clear() { std::memset(words, 0, sizeof words); }
  void set(uint32_t w, uint64_t value) {
    words[w] = value;
    words[word::kValid] |= uint64_t{1} << w;
  }
  void unset(uint32_t w) {
    words[w] = 0;
    words[word::kValid] &= ~(uint64_t{1} << w);
  }
  bool has(uint32_t w) const { return (words[word::kValid] >> w) & 1; }
  uint64_t get(uint32_t w) const { return words[w]; }

  /// Takes over what `from` has of part `index`, and nothing that it lacks.
  void take_part(const Reading& from, uint32_t index) {
    for (uint32_t w = 0; w < kRingSlotWords; w++) {
      if ((part::kWords[index] >> w & 1) == 0) continue;
      if (from.has(w)) {
        set(w, from.get(w));
      } else {
        unset(w);
      }
    }
  }
};

}  // namespace episcope
