// The counters of a budget in shared memory, which any thread adds to. The picture of the memory
// stands in src/budget/counters.ts; a test compares every number here with the one there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace episcope {

/// Indices of what a budget limits (RESOURCES in src/budget/resources.ts).
namespace resource {
inline constexpr uint32_t kCpuMs = 0;
inline constexpr uint32_t kIoBytes = 1;
inline constexpr uint32_t kWallMs = 2;
inline constexpr uint32_t kTokens = 3;
inline constexpr uint32_t kToolCalls = 4;
inline constexpr uint32_t kEvidenceBytes = 5;
}  // namespace resource

inline constexpr uint32_t kResources = 6;

/// u64 words.
namespace budget_word {
inline constexpr uint32_t kMagic = 0;
inline constexpr uint32_t kDeferred = 1;
inline constexpr uint32_t kLimits = 2;
inline constexpr uint32_t kConsumed = 8;
inline constexpr uint32_t kWords = 14;
}  // namespace budget_word

class BudgetCounters {
 public:
  /// The memory must stay. False for what is not a budget's.
  bool bind(void* memory, size_t bytes);
  bool bound() const { return words_ != nullptr; }

  /// In counted units (times in ns); none: unlimited.
  std::optional<uint64_t> limit(uint32_t resource) const;
  uint64_t consumed(uint32_t resource) const;
  /// Adds, up to 2^63 − 1.
  void add(uint32_t resource, uint64_t units);

 private:
  uint64_t load(uint32_t word) const;

  uint64_t* words_ = nullptr;
};

}  // namespace episcope
