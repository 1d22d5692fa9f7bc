#include "parse_flat.h"

namespace episcope {

ParseError parse_flat(Text text, Text separator, const FlatKey* keys, size_t count,
                      uint64_t* values, uint32_t& found) {
  found = 0;
  if (text.empty()) return parse_error(ParseReason::kEmpty, 0);
  for (Lines lines(text); lines.next();) {
    const Text line = lines.line();
    const size_t key_size = line.find(separator.front());
    const Text key = line.substr(0, key_size);
    size_t index = 0;
    while (index < count && keys[index].name != key) ++index;
    if (index == count) continue;
    if (key_size == Text::npos || line.substr(key_size, separator.size()) != separator) {
      return parse_error(ParseReason::kMissingValue, lines.end());
    }
    const size_t value = lines.begin() + key_size + separator.size();
    if (const ParseError error =
            parse_number(text, value, lines.end(), values[index], keys[index].figure)) {
      return error;
    }
    found |= uint32_t{1} << index;
  }
  for (size_t index = 0; index < count; ++index) {
    if (keys[index].presence == Presence::kRequired && !((found >> index) & 1)) {
      return parse_error(ParseReason::kMissingKey, text.size());
    }
  }
  return {};
}

}  // namespace episcope
