// One reader of a ring. Readers do not disturb the writer nor each other; losing frames is no
// error, a reader is told how many.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ring_shape.h"
#include "schema.h"

namespace episcope {

/// The slot of one frame. The low half of STAMP is the frame's stamp; words that no metric uses are
/// not copied.
struct FrameWords {
  uint64_t words[kRingSlotWords];
};

class RingReader {
 public:
  /// Binds to memory that must outlive the reader. False unless it is a ring of this layout whose
  /// newest frame is where its head says.
  bool bind(void* memory, size_t size) {
    RingShape ring;
    if (!ring.bind(memory, size)) return false;
    ring_ = ring;
    cursor_ = ring.first();
    missed_ = 0;
    corrupt_ = false;
    const uint32_t newest = head();
    if (newest != ring.first()) check_written(newest - 1);
    return !corrupt_;
  }

  /// Frames that were never delivered and never will be. Returned + missed = written.
  uint64_t missed() const { return missed_; }

  /// In the last call the head and the slots contradicted each other. The next one looks anew: the
  /// writer repairs its head with every frame.
  bool corrupt() const { return corrupt_; }

  bool ended() const { return ring_.state().load(std::memory_order_acquire) == ring_state::kEnded; }

  /// Frames that are there to be read.
  uint32_t available() const { return std::min(head() - cursor_, ring_.capacity()); }

  /// Moves to the newest frame there is, if it is ahead. What is skipped by choice is not missed.
  void skip_to_latest() {
    const uint32_t behind = head() - cursor_;
    if (behind > 0) cursor_ += behind - 1;
  }

  /// Copies the frames that follow, oldest first, at most `max`; returns how many. Each is whole.
  size_t read(FrameWords* out, size_t max) {
    corrupt_ = false;
    uint32_t end = head();
    const uint32_t behind = end - cursor_;
    if (behind > ring_.capacity()) skip_to(end - ring_.capacity());
    size_t copied = 0;
    uint32_t resumes = 0;
    while (copied < max && cursor_ != end && !corrupt_) {
      if (copy(cursor_, out[copied])) {
        cursor_++;
        copied++;
        continue;
      }
      // Overtaken. At the oldest frame it would happen again at once, so go on from the middle.
      if (++resumes > kMaxRingResumes) break;
      end = head();
      const uint32_t middle = end - std::max<uint32_t>(1, ring_.capacity() / 2);
      const bool ahead = static_cast<int32_t>(middle - cursor_) > 0;
      skip_to(ahead ? middle : cursor_ + 1);
    }
    return copied;
  }

  /// Copies the newest frame; false when there is none yet, or the ring is corrupt. Moves nothing.
  bool latest(FrameWords& out) {
    corrupt_ = false;
    for (uint32_t tries = 0; tries < kMaxLatestTries && !corrupt_; tries++) {
      const uint32_t end = head();
      if (end == ring_.first()) return false;
      if (copy(end - 1, out)) return true;
    }
    corrupt_ = true;
    return false;
  }

 private:
  uint32_t head() const { return ring_.head().load(std::memory_order_acquire); }

  void skip_to(uint32_t cursor) {
    missed_ += static_cast<uint32_t>(cursor - cursor_);
    cursor_ = cursor;
  }

  // False: the slot was overwritten before or while it was copied.
  bool copy(uint32_t index, FrameWords& out) {
    const RingSlot slot = ring_.slot(index);
    const auto stamp = slot.stamp();
    const uint32_t expected = stamp_done(index);
    if (stamp.load(std::memory_order_acquire) != expected) {
      check_written(index);
      return false;
    }
#if EPISCOPE_TSAN
    constexpr auto kData = std::memory_order_acquire;
#else
    constexpr auto kData = std::memory_order_relaxed;
#endif
    out.words[word::kStamp] = expected;
    for (uint32_t w = 1; w < kFrameWords; w++) {
      out.words[w] = slot.data(w).load(kData);
    }
#if !EPISCOPE_TSAN
    // The second look at the stamp must not come before the data: with this fence, who saw new data
    // sees the odd stamp too.
    std::atomic_thread_fence(std::memory_order_acquire);
#endif
    return stamp.load(std::memory_order_relaxed) == expected;
  }

  // A frame below the head is in its slot, or a newer one of the same slot is; else the head
  // is corrupt.
  void check_written(uint32_t index) {
    const uint32_t stamp = ring_.slot(index).stamp().load(std::memory_order_acquire);
    const auto newer = static_cast<int32_t>(stamp - stamp_done(index));
    const uint32_t in_slot = (stamp - 1) >> 1;
    if (newer < 0 || ((in_slot ^ index) & (ring_.slots() - 1)) != 0) corrupt_ = true;
  }

  RingShape ring_;
  uint32_t cursor_ = 0;
  uint64_t missed_ = 0;
  bool corrupt_ = false;
};

}  // namespace episcope
