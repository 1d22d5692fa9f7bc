// The words of a slot (schema.h), as readers fill them and frames carry them, and the failure that
// made a part unavailable.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "limits.h"
#include "schema.h"

namespace episcope {

/// A failure with its code, errno, file, offset and reason. Plain data that does not allocate.
struct ReadFailure {
  ReadCode code = ReadCode::kNone;
  ParseReason reason = ParseReason::kNone;
  int error_number = 0;
  uint32_t offset = 0;  // byte offset in the text, for the parse codes
  int32_t pid = 0;      // the process of a /proc file, 0 for a file of a cgroup
  char file[32] = {};   // name inside the cgroup or /proc/<pid>, NUL-terminated

  explicit operator bool() const { return code != ReadCode::kNone; }
  void set_file(const char* name) {
    std::strncpy(file, name, sizeof file - 1);
    file[sizeof file - 1] = '\0';
  }
};

/// A set of slot words with their validity mask. The episode adds sources and qualities.
struct Reading {
  uint64_t words[kFrameWords] = {};

  void clear() { std::memset(words, 0, sizeof words); }
  void set(uint32_t w, uint64_t value) {
    words[w] = value;
    words[word::kValid] |= uint64_t{1} << w;
  }
  void unset(uint32_t w) {
    words[w] = 0;
    words[word::kValid] &= ~(uint64_t{1} << w);
  }
  bool has(uint32_t w) const { return (words[word::kValid] >> w) & 1; }
  uint64_t get(uint32_t w) const { return words[w]; }

  /// Copies those of the words of `mask` (bits of word::kValid) that are set in `from`.
  void take(const Reading& from, uint64_t mask) {
    for (; mask != 0; mask &= mask - 1) {
      const auto w = static_cast<uint32_t>(std::countr_zero(mask));
      if (from.has(w)) {
        set(w, from.get(w));
      } else {
        unset(w);
      }
    }
  }
  void unset_all(uint64_t mask) {
    for (; mask != 0; mask &= mask - 1) unset(static_cast<uint32_t>(std::countr_zero(mask)));
  }
  /// Copies those words of part `index` that are set in `from`.
  void take_part(const Reading& from, uint32_t index) { take(from, part::kWords[index]); }
};

}  // namespace episcope
