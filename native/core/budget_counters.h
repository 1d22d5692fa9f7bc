// The counters of a budget in shared memory, which any thread adds to (budget_word in schema.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "schema.h"

namespace episcope {

class BudgetCounters {
 public:
  /// Returns false unless `memory` holds a budget, which must outlive this object.
  bool bind(void* memory, size_t bytes);
  bool bound() const { return words_ != nullptr; }

  /// In counted units (times in ns); nullopt if unlimited.
  std::optional<uint64_t> limit(uint32_t resource) const;
  uint64_t consumed(uint32_t resource) const;
  /// Saturates at 2^63 − 1.
  void add(uint32_t resource, uint64_t units);

 private:
  uint64_t load(uint32_t word) const;

  uint64_t* words_ = nullptr;
};

}  // namespace episcope
