#include "parse_cgroup.h"

namespace episcope {

ParseError parse_single(Text text, uint64_t& out) {
  if (text.empty()) return parse_error(ParseReason::kEmpty, 0);
  const size_t newline = text.find('\n');
  const size_t end = newline == Text::npos ? text.size() : newline;
  if (const ParseError error = parse_number(text, 0, end, out, Figure::kGauge)) return error;
  if (end + 1 < text.size()) return parse_error(ParseReason::kTrailingBytes, end + 1);
  return {};
}

ParseError parse_cgroup_events(Text text, CgroupEvents& out) {
  static constexpr FlatKey kKeys[] = {{"populated", Presence::kRequired},
                                      {"frozen", Presence::kOptional}};
  uint64_t values[2];
  uint32_t found = 0;
  if (const ParseError error = parse_flat(text, " ", kKeys, 2, values, found)) return error;
  out.populated = values[0];
  out.frozen = (found & 2) != 0 ? std::optional(values[1]) : std::nullopt;
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
