// The files of a cgroup v2 directory, one struct and one function each. Values are in the
// contract's units: the kernel's microseconds become ns here, saturating.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "parse_text.h"

namespace episcope {

struct CpuStat {
  uint64_t usage_ns = 0;
  uint64_t user_ns = 0;
  uint64_t system_ns = 0;
  std::optional<uint64_t> nr_throttled;  // only with the cpu controller
  std::optional<uint64_t> throttled_ns;
};
ParseError parse_cpu_stat(Text text, CpuStat& out);

/// A file of one gauge: memory.current, memory.peak, pids.current.
ParseError parse_single(Text text, uint64_t& out);

struct MemoryStat {
  std::optional<uint64_t> anon;
  std::optional<uint64_t> pgfault;
  std::optional<uint64_t> pgmajfault;
};
ParseError parse_memory_stat(Text text, MemoryStat& out);

struct MemoryEvents {
  uint64_t oom_kill = 0;
};
ParseError parse_memory_events(Text text, MemoryEvents& out);

struct CgroupEvents {
  uint64_t populated = 0;
  std::optional<uint64_t> frozen;
};
ParseError parse_cgroup_events(Text text, CgroupEvents& out);

struct Pressure {
  uint64_t some_total_ns = 0;
  std::optional<uint64_t> full_total_ns;  // cpu.pressure has none before Linux 5.13
};
ParseError parse_pressure(Text text, Pressure& out);

/// Sums over the devices of io.stat. An empty file is valid: nothing was read or written.
struct IoStat {
  uint64_t rbytes = 0;
  uint64_t wbytes = 0;
  uint64_t rios = 0;
  uint64_t wios = 0;
};
ParseError parse_io_stat(Text text, IoStat& out);

/// A device of io.stat: major << 32 | minor.
struct IoDevice {
  uint64_t number = 0;
  IoStat figures;
};
inline constexpr uint64_t kUnknownDevice = UINT64_MAX;

/// The same for each device, in the order of the text. One may be there without figures.
ParseError parse_io_devices(Text text, std::vector<IoDevice>& out);

/// `8:16`. False where something else stands there.
bool parse_device_number(Text text, uint64_t& number);

}  // namespace episcope
