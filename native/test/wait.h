// Waits for what another thread or the kernel is to do: for the condition, never for a time.
#pragma once

#include <time.h>

#include <cstdint>

#include "../core/clock.h"

namespace episcope::test {

/// Polls until `holds()`; false after 30 s.
template <typename Condition>
bool wait_until(const Condition& holds) {
  const uint64_t end = monotonic_ns() + 30'000'000'000;
  while (!holds()) {
    if (monotonic_ns() > end) return false;
    const timespec pause = {0, 200'000};
    nanosleep(&pause, nullptr);
  }
  return true;
}

}  // namespace episcope::test
