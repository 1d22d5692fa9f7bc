// All parsers behind one door, by index: what the differential test and the fuzzer knock on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parse_text.h"
#include "schema.h"

namespace episcope {

inline constexpr uint32_t kKernelTextCount = static_cast<uint32_t>(KernelText::kProcIo) + 1;

struct ParseOutcome {
  ParseError error;    // false: the values below are the text's
  uint32_t count = 0;  // how many values this kind has
  uint32_t valid = 0;  // bit i: values[i] is there; else its key is absent
  uint64_t values[16] = {};
};

/// Parses `size` bytes as the kernel text `kind` (below kKernelTextCount).
ParseOutcome parse_text(uint32_t kind, const char* text, size_t size);

}  // namespace episcope
