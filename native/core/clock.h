// CLOCK_MONOTONIC in ns: the clock of tsMono (INV-TL03).
#pragma once

#include <time.h>

#include <cstdint>

namespace episcope {

inline uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

/// monotonic_ns(), or a replacement in tests.
using Clock = uint64_t (*)();

}  // namespace episcope
