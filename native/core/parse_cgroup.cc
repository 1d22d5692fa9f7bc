#include "parse_cgroup.h"

#include "parse_flat.h"

namespace episcope {
namespace {

constexpr Text kSpace = " ";
constexpr uint64_t kNsPerUs = 1000;

std::optional<uint64_t> optional_value(const uint64_t* values, uint32_t found, uint32_t index) {
  if (!((found >> index) & 1)) return std::nullopt;
  return values[index];
}

template <size_t kCount>
ParseError parse_keys(Text text, const FlatKey (&keys)[kCount], uint64_t (&values)[kCount],
                      uint32_t& found) {
  return parse_flat(text, kSpace, keys, kCount, values, found);
}

}  // namespace

ParseError parse_cpu_stat(Text text, CpuStat& out) {
  static constexpr FlatKey kKeys[] = {{"usage_usec", true},
                                      {"user_usec", true},
                                      {"system_usec", true},
                                      {"nr_throttled", false},
                                      {"throttled_usec", false}};
  uint64_t values[5];
  uint32_t found = 0;
  if (const ParseError error = parse_keys(text, kKeys, values, found)) return error;
  out.usage_ns = saturating_mul(values[0], kNsPerUs);
  out.user_ns = saturating_mul(values[1], kNsPerUs);
  out.system_ns = saturating_mul(values[2], kNsPerUs);
  out.nr_throttled = optional_value(values, found, 3);
  out.throttled_ns = optional_value(values, found, 4);
  if (out.throttled_ns) out.throttled_ns = saturating_mul(*out.throttled_ns, kNsPerUs);
  return {};
}

ParseError parse_single(Text text, uint64_t& out) {
  if (text.empty()) return parse_error(ParseReason::kEmpty, 0);
  const size_t newline = text.find('\n');
  const size_t end = newline == Text::npos ? text.size() : newline;
  if (const ParseError error = parse_number(text, 0, end, out, Figure::kGauge)) return error;
  if (end + 1 < text.size()) return parse_error(ParseReason::kTrailingBytes, end + 1);
  return {};
}

ParseError parse_memory_stat(Text text, MemoryStat& out) {
  static constexpr FlatKey kKeys[] = {{"anon", false, Figure::kGauge},
                                      {"pgfault", false, Figure::kSigned},
                                      {"pgmajfault", false, Figure::kSigned}};
  uint64_t values[3];
  uint32_t found = 0;
  if (const ParseError error = parse_keys(text, kKeys, values, found)) return error;
  out.anon = optional_value(values, found, 0);
  out.pgfault = optional_value(values, found, 1);
  out.pgmajfault = optional_value(values, found, 2);
  return {};
}

ParseError parse_memory_events(Text text, MemoryEvents& out) {
  // oom_kill, not oom: only the first says that something was killed.
  static constexpr FlatKey kKeys[] = {{"oom_kill", true}};
  uint64_t values[1];
  uint32_t found = 0;
  if (const ParseError error = parse_keys(text, kKeys, values, found)) return error;
  out.oom_kill = values[0];
  return {};
}

ParseError parse_cgroup_events(Text text, CgroupEvents& out) {
  static constexpr FlatKey kKeys[] = {{"populated", true}, {"frozen", false}};
  uint64_t values[2];
  uint32_t found = 0;
  if (const ParseError error = parse_keys(text, kKeys, values, found)) return error;
  out.populated = values[0];
  out.frozen = optional_value(values, found, 1);
  return {};
}

ParseError parse_pressure(Text text, Pressure& out) {
  static constexpr Text kTotal = "total=";
  if (text.empty()) return parse_error(ParseReason::kEmpty, 0);
  std::optional<uint64_t> some;
  std::optional<uint64_t> full;
  for (Lines lines(text); lines.next();) {
    const bool is_some = lines.line().starts_with("some ");
    if (!is_some && !lines.line().starts_with("full ")) continue;
    Tokens tokens(text, lines.begin(), lines.end());
    do {
      if (!tokens.next()) return parse_error(ParseReason::kMissingValue, lines.end());
    } while (!tokens.token().starts_with(kTotal));
    uint64_t us = 0;
    const size_t value = tokens.begin() + kTotal.size();
    if (const ParseError error = parse_number(text, value, tokens.end(), us)) return error;
    (is_some ? some : full) = saturating_mul(us, kNsPerUs);
  }
  if (!some) return parse_error(ParseReason::kMissingKey, text.size());
  out.some_total_ns = *some;
  out.full_total_ns = full;
  return {};
}

}  // namespace episcope
