// Checks the header and the newest frame of a ring once, and copies the header. A thread that
// writes to the memory later can change the contents of frames, but not the addresses accessed.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "schema.h"

// TSan does not understand fences, so the data words use release and acquire under it.
#if defined(__SANITIZE_THREAD__)
#define EPISCOPE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define EPISCOPE_TSAN 1
#endif
#endif
#ifndef EPISCOPE_TSAN
#define EPISCOPE_TSAN 0
#endif

namespace episcope {

static_assert(std::endian::native == std::endian::little, "the layout has the low halves first");
static_assert(std::atomic_ref<uint32_t>::is_always_lock_free);
static_assert(std::atomic_ref<uint64_t>::is_always_lock_free);

/// Stamps of frame `index`, modulo 2^32.
inline constexpr uint32_t stamp_writing(uint32_t index) { return 2 * index + 1; }
inline constexpr uint32_t stamp_done(uint32_t index) { return 2 * index + 2; }

/// The words of one slot. Its address is computed once per frame: the compiler must not assume that
/// the shape of the ring stays the same across atomic accesses, and would compute it per word.
class RingSlot {
 public:
  explicit RingSlot(std::byte* bytes) : bytes_(bytes) {}

  std::atomic_ref<uint32_t> stamp() const {
    return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(bytes_));
  }
  std::atomic_ref<uint64_t> data(uint32_t word) const {
    return std::atomic_ref<uint64_t>(
        *reinterpret_cast<uint64_t*>(bytes_ + size_t{word} * sizeof(uint64_t)));
  }

 private:
  std::byte* bytes_;
};

/// The memory of a ring: plain pointers, and the shape read from its header.
class RingShape {
 public:
  /// Returns false, and binds nothing, unless `memory` holds a complete ring of this layout.
  bool bind(void* memory, size_t size) {
    if (memory == nullptr || size < kRingHeaderBytes) return false;
    if (reinterpret_cast<uintptr_t>(memory) % alignof(uint64_t) != 0) return false;
    auto* bytes = static_cast<std::byte*>(memory);
    const auto field = [bytes](uint32_t offset) {
      return load(bytes + offset, std::memory_order_acquire);
    };
    if (field(header::kMagic) != kRingMagic) return false;
    if (field(header::kVersion) != kRingVersion) return false;
    if (field(header::kHeaderBytes) != kRingHeaderBytes) return false;
    const uint32_t slot_bytes = field(header::kSlotBytes);
    if (slot_bytes % 64 != 0 || slot_bytes < kFrameWords * sizeof(uint64_t)) return false;
    if (slot_bytes > kMaxRingSlotBytes) return false;

    const uint32_t slots = field(header::kSlots);
    const uint32_t capacity = field(header::kCapacity);
    const uint32_t id_length = field(header::kEpisodeIdLength);
    const uint32_t pid = field(header::kPid);
    if (capacity < 1 || capacity > kMaxRingBufferCapacity) return false;
    if (slots != std::max(2u, std::bit_ceil(capacity))) return false;
    if (size < kRingHeaderBytes + size_t{slots} * slot_bytes) return false;
    if (id_length < 1 || id_length > kMaxEpisodeIdLength) return false;
    if (pid == 0 || pid > INT32_MAX) return false;
    if (field(header::kState) > ring_state::kEnded) return false;

    RingShape ring;
    ring.bytes_ = bytes;
    ring.slots_ = slots;
    ring.slot_bytes_ = slot_bytes;
    ring.capacity_ = capacity;
    ring.first_ = field(header::kFirst);
    if (!ring.head_is_consistent()) return false;
    *this = ring;
    return true;
  }

  bool bound() const { return bytes_ != nullptr; }
  uint32_t capacity() const { return capacity_; }
  uint32_t slots() const { return slots_; }
  uint32_t first() const { return first_; }

  std::atomic_ref<uint32_t> head() const { return u32(header::kHead); }
  std::atomic_ref<uint32_t> state() const { return u32(header::kState); }
  std::atomic_ref<uint32_t> writer() const { return u32(header::kWriter); }
  std::atomic_ref<uint32_t> deadlines_missed() const { return u32(header::kDeadlinesMissed); }
  RingSlot slot(uint32_t index) const {
    return RingSlot(bytes_ + kRingHeaderBytes + size_t{index & (slots_ - 1)} * slot_bytes_);
  }

 private:
  // Checks that the newest frame is at the head, and that its seq is its distance from the first.
  bool head_is_consistent() const {
    const uint32_t end = head().load(std::memory_order_acquire);
    if (end == first_) return true;
    const uint32_t newest = end - 1;
    const RingSlot in = slot(newest);
    const uint32_t there = in.stamp().load(std::memory_order_acquire);
    if (static_cast<int32_t>(there - stamp_done(newest)) < 0) return false;
    if (((((there - 1) >> 1) ^ newest) & (slots_ - 1)) != 0) return false;
    // A writer may be overwriting the slot: the seq is valid only if the stamp is still that of
    // this frame.
    const uint64_t seq = in.data(word::kSeq).load(std::memory_order_acquire);
    if (in.stamp().load(std::memory_order_relaxed) != stamp_done(newest)) return true;
    return static_cast<uint32_t>(seq) == newest - first_;
  }

  static uint32_t load(std::byte* at, std::memory_order order) {
    return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(at)).load(order);
  }
  std::atomic_ref<uint32_t> u32(size_t offset) const {
    return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(bytes_ + offset));
  }

  std::byte* bytes_ = nullptr;
  uint32_t slots_ = 0;
  uint32_t slot_bytes_ = 0;
  uint32_t capacity_ = 0;
  uint32_t first_ = 0;
};

}  // namespace episcope
