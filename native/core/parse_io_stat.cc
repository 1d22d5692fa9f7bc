// io.stat is the least regular of the cgroup files: devices in any order, a device without keys,
// several MAJ:MIN tokens on a line, `(unknown)` as the device, dotted keys, a torn `252:0 ` at the
// end.
#include "parse_cgroup.h"

namespace episcope {
namespace {

bool is_device(Text token) {
  if (token == "(unknown)") return true;
  const size_t colon = token.find(':');
  if (colon == Text::npos) return false;
  uint64_t ignored = 0;
  return !parse_number(token, 0, colon, ignored) &&
         !parse_number(token, colon + 1, token.size(), ignored);
}

uint64_t* sum_of(IoStat& sums, Text key) {
  if (key == "rbytes") return &sums.rbytes;
  if (key == "wbytes") return &sums.wbytes;
  if (key == "rios") return &sums.rios;
  if (key == "wios") return &sums.wios;
  return nullptr;
}

}  // namespace

ParseError parse_io_stat(Text text, IoStat& out) {
  IoStat sums;
  for (Lines lines(text); lines.next();) {
    bool has_device = false;
    for (Tokens tokens(text, lines.begin(), lines.end()); tokens.next();) {
      const Text token = tokens.token();
      const size_t equals = token.find('=');
      if (equals == Text::npos) {
        if (!is_device(token)) return parse_error(ParseReason::kMalformedDevice, tokens.begin());
        has_device = true;
        continue;
      }
      if (!has_device) return parse_error(ParseReason::kKeyBeforeDevice, tokens.begin());
      uint64_t* sum = sum_of(sums, token.substr(0, equals));
      if (sum == nullptr) continue;
      uint64_t value = 0;
      const size_t begin = tokens.begin() + equals + 1;
      if (const ParseError error = parse_number(text, begin, tokens.end(), value)) return error;
      *sum = saturating_add(*sum, value);
    }
  }
  out = sums;
  return {};
}

}  // namespace episcope
