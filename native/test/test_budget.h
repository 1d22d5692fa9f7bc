// The memory of a budget's counters, which TypeScript makes otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "../core/budget_counters.h"

namespace episcope::test {

class TestBudget {
 public:
  using Amount = std::pair<uint32_t, uint64_t>;

  TestBudget(std::initializer_list<Amount> limits = {}) {
    words_[budget_word::kMagic] = 0x0000'0001'4742'5045;
    for (const auto& [resource, units] : limits) limit(resource, units);
  }

  /// Before anybody else knows of the memory.
  void limit(uint32_t resource, uint64_t units) { words_[budget_word::kLimits + resource] = units; }
  /// As TypeScript does it: down to 0. Only while nobody adds.
  void refund(uint32_t resource, uint64_t units) {
    uint64_t& consumed = words_[budget_word::kConsumed + resource];
    consumed -= consumed < units ? consumed : units;
  }

  void* data() { return words_; }
  size_t size() const { return sizeof words_; }
  BudgetCounters counters() {
    BudgetCounters counters;
    (void)counters.bind(data(), size());
    return counters;
  }

 private:
  uint64_t words_[budget_word::kWords] = {};
};

}  // namespace episcope::test
