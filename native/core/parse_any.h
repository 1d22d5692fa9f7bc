// Calls a parser by the index of its text, for the differential test and the fuzzer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parse_text.h"
#include "schema.h"

namespace episcope {

inline constexpr uint32_t kKernelTextCount = static_cast<uint32_t>(KernelText::kProcIo) + 1;

struct ParseOutcome {
  ParseError error;    // if false, the values below are valid
  uint32_t count = 0;  // number of values of this kind
  uint32_t valid = 0;  // bit i is set if values[i] is valid; otherwise its key is absent
  uint64_t values[16] = {};
};

/// Parses `size` bytes as the kernel text `kind` (below kKernelTextCount).
ParseOutcome parse_text(uint32_t kind, const char* text, size_t size);

}  // namespace episcope
