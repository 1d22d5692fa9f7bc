// Parses the files of a cgroup v2 directory. Most fill words of a frame: a new metric is one line
// here, either a key of a file that is already read or a new file in kOptionalFiles. Values have
// the units of the contract: the kernel's microseconds are converted to ns, saturating.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <vector>

#include "parse_flat.h"
#include "parse_text.h"

namespace episcope {

inline constexpr uint64_t kNsPerUs = 1000;

inline constexpr FlatKey kCpuStatKeys[] = {
    {"usage_usec", Presence::kRequired, Figure::kUnsigned, word::kCpuNs, kNsPerUs},
    {"user_usec", Presence::kRequired, Figure::kUnsigned, word::kCpuUserNs, kNsPerUs},
    {"system_usec", Presence::kRequired, Figure::kUnsigned, word::kCpuSystemNs, kNsPerUs},
    {"nr_throttled", Presence::kOptional, Figure::kUnsigned, word::kCpuNrThrottled},
    {"throttled_usec", Presence::kOptional, Figure::kUnsigned, word::kCpuThrottledNs, kNsPerUs},
};

/// kPageFaultsMinor gets all faults, including the major ones.
inline constexpr FlatKey kMemoryStatKeys[] = {
    {"anon", Presence::kOptional, Figure::kGauge, word::kMemRssBytes},
    {"pgfault", Presence::kOptional, Figure::kSigned, word::kPageFaultsMinor},
    {"pgmajfault", Presence::kOptional, Figure::kSigned, word::kPageFaultsMajor},
};

// oom_kill, not oom: only oom_kill counts processes that were killed.
inline constexpr FlatKey kMemoryEventsKeys[] = {
    {"oom_kill", Presence::kRequired, Figure::kUnsigned, word::kOomKills},
};

/// Fills the words of `keys` from the text, and unsets those that it does not have.
template <size_t kCount>
ParseError parse_words(Text text, const FlatKey (&keys)[kCount], Reading& out) {
  uint64_t values[kCount];
  uint32_t found = 0;
  if (const ParseError error = parse_flat(text, " ", keys, kCount, values, found)) return error;
  for (size_t i = 0; i < kCount; ++i) {
    if ((found >> i) & 1) {
      out.set(keys[i].word, saturating_mul(values[i], keys[i].scale));
    } else {
      out.unset(keys[i].word);
    }
  }
  return {};
}

/// The words of `keys`, as bits of word::kValid.
template <size_t kCount>
constexpr uint64_t words_of(const FlatKey (&keys)[kCount]) {
  uint64_t words = 0;
  for (const FlatKey& key : keys) words |= part::bit(key.word);
  return words;
}

/// Parses a file with a single gauge: memory.current, memory.peak, pids.current.
ParseError parse_single(Text text, uint64_t& out);

template <uint32_t kWord>
ParseError parse_gauge(Text text, Reading& out) {
  uint64_t value = 0;
  const ParseError error = parse_single(text, value);
  if (!error) out.set(kWord, value);
  return error;
}

inline ParseError parse_memory_events(Text text, Reading& out) {
  return parse_words(text, kMemoryEventsKeys, out);
}

struct Pressure {
  uint64_t some_total_ns = 0;
  std::optional<uint64_t> full_total_ns;  // cpu.pressure has none before Linux 5.13
};
ParseError parse_pressure(Text text, Pressure& out);

/// kFull is 0 if the total of all tasks is meaningless.
template <uint32_t kSome, uint32_t kFull = 0>
ParseError parse_pressure_words(Text text, Reading& out) {
  Pressure pressure;
  if (const ParseError error = parse_pressure(text, pressure)) return error;
  out.set(kSome, pressure.some_total_ns);
  if (kFull != 0 && pressure.full_total_ns) out.set(kFull, *pressure.full_total_ns);
  return {};
}

/// A kernel file whose absence is not a failure. It is read together with the part of `word`.
struct OptionalFile {
  const char* name;
  uint32_t word;
  ParseError (*parse)(Text text, Reading& out);
};
inline constexpr OptionalFile kOptionalFiles[] = {
    {"memory.events", word::kOomKills, parse_memory_events},
    {"pids.current", word::kPids, parse_gauge<word::kPids>},
    {"cpu.pressure", word::kPressureCpuSomeNs, parse_pressure_words<word::kPressureCpuSomeNs>},
    {"memory.pressure", word::kPressureMemorySomeNs,
     parse_pressure_words<word::kPressureMemorySomeNs, word::kPressureMemoryFullNs>},
    {"io.pressure", word::kPressureIoSomeNs,
     parse_pressure_words<word::kPressureIoSomeNs, word::kPressureIoFullNs>},
};
inline constexpr uint32_t kOptionalFileCount = std::size(kOptionalFiles);

struct CgroupEvents {
  uint64_t populated = 0;
  std::optional<uint64_t> frozen;
};
ParseError parse_cgroup_events(Text text, CgroupEvents& out);

struct IoKey {
  Text name;
  uint32_t word;
};
inline constexpr IoKey kIoKeys[] = {
    {"rbytes", word::kIoReadBytes},
    {"wbytes", word::kIoWriteBytes},
    {"rios", word::kIoReadOps},
    {"wios", word::kIoWriteOps},
};
inline constexpr uint32_t kIoFigures = std::size(kIoKeys);

/// Sums over the devices of io.stat, by kIoKeys. An empty file is valid: there was no io.
struct IoStat {
  uint64_t figures[kIoFigures] = {};
};

/// A device of io.stat: major << 32 | minor.
struct IoDevice {
  uint64_t number = 0;
  IoStat figures;
};
inline constexpr uint64_t kUnknownDevice = UINT64_MAX;

/// Parses the figures of each device, as the text lists them. A device may have no figures.
ParseError parse_io_devices(Text text, std::vector<IoDevice>& out);

/// Parses a device number such as `8:16`. Returns false for any other text.
bool parse_device_number(Text text, uint64_t& number);

}  // namespace episcope
