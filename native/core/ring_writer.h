// The only writer of a ring. It never waits: it overwrites the oldest frame.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "reading.h"
#include "ring_shape.h"
#include "schema.h"

namespace episcope {

/// Not thread-safe, because a ring has one writer. Readers may run in any thread.
class RingWriter {
 public:
  /// Binds to memory that must outlive the writer. Returns false unless it is a ring of this
  /// layout.
  bool bind(void* memory, size_t size) {
    RingShape ring;
    if (!ring.bind(memory, size)) return false;
    ring_ = ring;
    ring.writer().store(ring_writer_kind::kNative, std::memory_order_release);
    head_ = ring.head().load(std::memory_order_acquire);
    seq_ = head_ - ring.first();
    return true;
  }

  bool bound() const { return ring_.bound(); }

  /// The seq of the next frame, which is the number of published frames.
  uint64_t seq() const { return seq_; }

  /// Publishes one frame. The writer assigns the words STAMP and SEQ.
  void publish(const Reading& reading) {
    const uint32_t index = head_;
    const RingSlot slot = ring_.slot(index);
    const auto stamp = slot.stamp();
    // The odd stamp must be visible before any data word: a reader that saw new data and then,
    // after its acquire fence, the old stamp would accept a torn frame.
    stamp.store(stamp_writing(index), std::memory_order_relaxed);
#if EPISCOPE_TSAN
    constexpr auto kData = std::memory_order_release;
#else
    std::atomic_thread_fence(std::memory_order_release);
    constexpr auto kData = std::memory_order_relaxed;
#endif
    slot.data(word::kSeq).store(seq_, kData);
    for (uint32_t w = word::kSeq + 1; w < kFrameWords; w++) {
      slot.data(w).store(reading.words[w], kData);
    }
    stamp.store(stamp_done(index), std::memory_order_release);
    head_ = index + 1;
    seq_++;
    ring_.head().store(head_, std::memory_order_release);
  }

  void store_deadlines_missed(uint32_t missed) {
    ring_.deadlines_missed().store(missed, std::memory_order_release);
  }

  /// Marks the ring as ended. No frame may follow.
  void end() { ring_.state().store(ring_state::kEnded, std::memory_order_release); }

 private:
  RingShape ring_;
  uint32_t head_ = 0;
  uint64_t seq_ = 0;
};

}  // namespace episcope
