// Replaces <atomic> for the ring's headers: included before them, it passes every access to the
// machine. Production code does not depend on it.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace episcope_machine {

// Cells are the u32 words of the ring. A 64-bit access counts as two, which the model may tear;
// hardware never does.
uint32_t load(const void* at, std::memory_order order);
void store(const void* at, uint32_t value, std::memory_order order);
void fence(std::memory_order order);

template <typename Word>
class AtomicRef {
 public:
  static constexpr bool is_always_lock_free = true;

  explicit AtomicRef(Word& word) : at_(reinterpret_cast<uint32_t*>(&word)) {}

  Word load(std::memory_order order) const {
    Word value = 0;
    for (size_t half = 0; half < kHalves; half++) {
      value |= Word{episcope_machine::load(at_ + half, order)} << (32 * half);
    }
    return value;
  }

  void store(Word value, std::memory_order order) const {
    for (size_t half = 0; half < kHalves; half++) {
      episcope_machine::store(at_ + half, static_cast<uint32_t>(value >> (32 * half)), order);
    }
  }

 private:
  static constexpr size_t kHalves = sizeof(Word) / sizeof(uint32_t);
  uint32_t* at_;
};

}  // namespace episcope_machine

namespace std {
template <typename Word>
using episcope_atomic_ref = episcope_machine::AtomicRef<Word>;
inline void episcope_thread_fence(memory_order order) { episcope_machine::fence(order); }
}  // namespace std

#define atomic_ref episcope_atomic_ref
#define atomic_thread_fence episcope_thread_fence
