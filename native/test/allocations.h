// Counts what the program allocates by operator new.
#pragma once

#include <cstdint>

namespace episcope::test {

uint64_t allocations();

}  // namespace episcope::test
