// Flat keyed text, `key value` a line: the rule of cpu.stat, memory.stat, memory.events,
// cgroup.events and, with another separator, of /proc/<pid>/io.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parse_text.h"

namespace episcope {

struct FlatKey {
  Text name;
  bool required;
  Figure figure = Figure::kUnsigned;
};

/// Finds `keys` by name, never by position; lines with other keys are skipped unread. Of a key told
/// twice the last counts. `values[i]` is set where bit i of `found` is; a missing required key is
/// an error.
ParseError parse_flat(Text text, Text separator, const FlatKey* keys, size_t count,
                      uint64_t* values, uint32_t& found);

}  // namespace episcope
