#include "budget_counters.h"

#include <atomic>

#include "limits.h"

namespace episcope {
bool BudgetCounters::bind(void* memory, size_t bytes) {
  static_assert(std::atomic_ref<uint64_t>::is_always_lock_free);
  const bool aligned = reinterpret_cast<uintptr_t>(memory) % alignof(uint64_t) == 0;
  if (!aligned || bytes < budget_word::kWords * sizeof(uint64_t)) return false;
  words_ = static_cast<uint64_t*>(memory);
  if (load(budget_word::kMagic) == kBudgetMagic) return true;
  words_ = nullptr;
  return false;
}

std::optional<uint64_t> BudgetCounters::limit(uint32_t resource) const {
  const uint64_t limit = load(budget_word::kLimits + resource);
  return limit > 0 && limit <= kMaxFrameCount ? std::optional(limit) : std::nullopt;
}

/// TypeScript counts in signed words: a value that is negative there was not written by us.
uint64_t BudgetCounters::consumed(uint32_t resource) const {
  const uint64_t consumed = load(budget_word::kConsumed + resource);
  return consumed <= kMaxFrameCount ? consumed : 0;
}

// Compare and exchange: an add that must not pass 2^63 − 1 cannot be a plain fetch_add.
void BudgetCounters::add(uint32_t resource, uint64_t units) {
  std::atomic_ref<uint64_t> word(words_[budget_word::kConsumed + resource]);
  uint64_t before = word.load();
  uint64_t after = 0;
  do {
    after = saturating_add(before <= kMaxFrameCount ? before : 0, units);
  } while (!word.compare_exchange_weak(before, after));
}

uint64_t BudgetCounters::load(uint32_t word) const {
  return std::atomic_ref<uint64_t>(words_[word]).load();
}

}  // namespace episcope
