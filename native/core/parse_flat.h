// Flat keyed text, `key value` a line: the rule of cpu.stat, memory.stat, memory.events,
// cgroup.events and, with another separator, of /proc/<pid>/io.
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
  /// The word that the value fills, times `scale`; 0: it is no word of a frame.
  uint32_t word = 0;
  uint64_t scale = 1;
};

/// Finds `keys` by name, never by position; lines with other keys are skipped unread. Of a key told
/// twice the last counts. `values[i]` is set where bit i of `found` is; a missing required key is
/// an error.
ParseError parse_flat(Text text, Text separator, const FlatKey* keys, size_t count,
                      uint64_t* values, uint32_t& found);

}  // namespace episcope
