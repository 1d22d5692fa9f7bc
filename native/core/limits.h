// Bounds of the contract, and arithmetic that stays inside them (INV-TL02).
#pragma once

#include <cstddef>
#include <cstdint>

namespace episcope {

inline constexpr uint64_t kMaxFrameNs = (uint64_t{1} << 63) - 1;
inline constexpr uint64_t kMaxFrameBytes = (uint64_t{1} << 63) - 1;
inline constexpr uint64_t kMaxCount = (uint64_t{1} << 63) - 1;
inline constexpr size_t kMaxTelemetryFileSize = 64 * 1024;
inline constexpr size_t kMaxCgroupPathLen = 4096;

/// a + b, at most 2^63 − 1. Both are within the bound already.
inline constexpr uint64_t saturating_add(uint64_t a, uint64_t b) {
  return a > kMaxCount - b ? kMaxCount : a + b;
}

/// a × b, at most 2^63 − 1.
inline constexpr uint64_t saturating_mul(uint64_t a, uint64_t b) {
  return b != 0 && a > kMaxCount / b ? kMaxCount : a * b;
}

/// a − b, at least 0.
inline constexpr uint64_t saturating_sub(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

}  // namespace episcope
