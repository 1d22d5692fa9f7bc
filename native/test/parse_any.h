// Calls the parser of a kernel text, for the native tests, the fuzzer and the differential test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "../core/parse_text.h"

namespace episcope {

enum class KernelText : uint32_t {
  kCpuStat,
  kMemoryCurrent,
  kMemoryStat,
  kMemoryEvents,
  kIoStat,
  kPressure,
  kCgroupEvents,
  kProcStat,
  kProcStatm,
  kProcIo,
};

/// The names in test/support/kernel-texts.ts, indexed by KernelText.
inline constexpr const char* kKernelTextNames[] = {
    "cpu.stat", "memory.current", "memory.stat", "memory.events", "io.stat",
    "pressure", "cgroup.events",  "proc.stat",   "proc.statm",    "proc.io",
};
inline constexpr uint32_t kKernelTextCount = std::size(kKernelTextNames);
static_assert(kKernelTextCount == static_cast<uint32_t>(KernelText::kProcIo) + 1);

struct ParseOutcome {
  ParseError error;    // if false, the values below are valid
  uint32_t count = 0;  // number of values of this kind
  uint32_t valid = 0;  // bit i is set if values[i] is valid; otherwise its key is absent
  uint64_t values[16] = {};
};

/// Parses `size` bytes as the kernel text `kind` (below kKernelTextCount).
ParseOutcome parse_text(uint32_t kind, const char* text, size_t size);

}  // namespace episcope
