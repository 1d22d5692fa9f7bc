// io.stat is the least regular cgroup file: devices are in any order, a device may have no keys, a
// line may have several MAJ:MIN tokens, the device may be `(unknown)`, keys may contain dots, and
// the text may end with an incomplete `252:0 `.
#include <vector>

#include "parse_cgroup.h"

namespace episcope {
namespace {

bool parse_device(Text token, uint64_t& number) {
  number = kUnknownDevice;
  return token == "(unknown)" || parse_device_number(token, number);
}

uint64_t* sum_of(IoStat& sums, Text key) {
  for (uint32_t i = 0; i < kIoFigures; ++i) {
    if (kIoKeys[i].name == key) return &sums.figures[i];
  }
  return nullptr;
}

}  // namespace

bool parse_device_number(Text text, uint64_t& number) {
  const size_t colon = text.find(':');
  uint64_t major = 0;
  uint64_t minor = 0;
  if (colon == Text::npos || parse_number(text, 0, colon, major) ||
      parse_number(text, colon + 1, text.size(), minor)) {
    return false;
  }
  number = (major << 32) | (minor & 0xffffffff);
  return true;
}

ParseError parse_io_devices(Text text, std::vector<IoDevice>& out) {
  out.clear();
  for (Lines lines(text); lines.next();) {
    IoStat* device = nullptr;
    for (Tokens tokens(text, lines.begin(), lines.end()); tokens.next();) {
      const Text token = tokens.token();
      const size_t equals = token.find('=');
      if (equals == Text::npos) {
        uint64_t number = 0;
        if (!parse_device(token, number)) {
          return parse_error(ParseReason::kMalformedDevice, tokens.begin());
        }
        device = &out.emplace_back(IoDevice{number, {}}).figures;
        continue;
      }
      if (device == nullptr) return parse_error(ParseReason::kKeyBeforeDevice, tokens.begin());
      uint64_t* sum = sum_of(*device, token.substr(0, equals));
      if (sum == nullptr) continue;
      uint64_t value = 0;
      const size_t begin = tokens.begin() + equals + 1;
      if (const ParseError error = parse_number(text, begin, tokens.end(), value)) return error;
      *sum = saturating_add(*sum, value);
    }
  }
  return {};
}

}  // namespace episcope
