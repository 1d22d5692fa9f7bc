// Arithmetic that saturates at the bound of INV-TL02.
#pragma once

#include <cstdint>

#include "schema.h"

namespace episcope {

/// a + b, at most 2^63 − 1. Both operands must be within the bound.
inline constexpr uint64_t saturating_add(uint64_t a, uint64_t b) {
  return a > kMaxFrameCount - b ? kMaxFrameCount : a + b;
}

/// a × b, at most 2^63 − 1.
inline constexpr uint64_t saturating_mul(uint64_t a, uint64_t b) {
  return b != 0 && a > kMaxFrameCount / b ? kMaxFrameCount : a * b;
}

/// a − b, at least 0.
inline constexpr uint64_t saturating_sub(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

}  // namespace episcope
