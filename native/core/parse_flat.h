// Parses flat keyed text with one `key value` pair per line: cpu.stat, memory.stat, memory.events,
// cgroup.events and, with another separator, /proc/<pid>/io.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parse_text.h"

namespace episcope {

enum class Presence { kRequired, kOptional };

struct FlatKey {
  Text name;
  Presence presence;
  Figure figure = Figure::kUnsigned;
  /// The word that receives the value times `scale`; 0 if there is none.
  uint32_t word = 0;
  uint64_t scale = 1;
};

/// Finds `keys` by name, never by position, and skips other lines. If a key occurs twice, the last
/// value counts. `values[i]` is valid if bit i of `found` is set. A missing required key is an
/// error.
ParseError parse_flat(Text text, Text separator, const FlatKey* keys, size_t count,
                      uint64_t* values, uint32_t& found);

}  // namespace episcope
