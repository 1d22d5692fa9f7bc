// A reader of a ring. Readers do not affect the writer or each other. Losing frames is not an
// error; a reader counts the frames it missed.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ring_shape.h"
#include "schema.h"

namespace episcope {

/// The slot of one frame. The low half of STAMP is the stamp of the frame. Words that no metric
/// uses are not copied.
struct FrameWords {
  uint64_t words[kRingSlotWords];
};

class RingReader {
 public:
  /// Binds to memory that must outlive the reader. Returns false unless it is a ring of this layout
  /// whose newest frame matches its head.
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

  /// Number of frames that were overwritten before they were read. Returned + missed = written.
  uint64_t missed() const { return missed_; }

  /// Whether the head contradicted the slots in the last call. The next call checks again, because
  /// the writer repairs the head with every frame.
  bool corrupt() const { return corrupt_; }

  bool ended() const { return ring_.state().load(std::memory_order_acquire) == ring_state::kEnded; }

  /// Number of frames that can be read.
  uint32_t available() const { return std::min(head() - cursor_, ring_.capacity()); }

  /// Moves forward to the newest frame. The skipped frames do not count as missed.
  void skip_to_latest() {
    const uint32_t behind = head() - cursor_;
    if (behind > 0) cursor_ += behind - 1;
  }

  /// Copies the next frames, oldest first, at most `max`, and returns their number. Copies are
  /// never torn.
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
      // The writer overtook us. It would do so again at the oldest frame, so continue in the
      // middle.
      if (++resumes > kMaxRingResumes) break;
      end = head();
      const uint32_t middle = end - std::max<uint32_t>(1, ring_.capacity() / 2);
      const bool ahead = static_cast<int32_t>(middle - cursor_) > 0;
      skip_to(ahead ? middle : cursor_ + 1);
    }
    return copied;
  }

  /// Copies the newest frame without moving. Returns false before the first frame, or if the ring
  /// is corrupt.
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

  // Returns false if the slot was overwritten before or during the copy.
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
    // The second load of the stamp must not pass the data: with this fence, a reader that saw new
    // data also sees the odd stamp.
    std::atomic_thread_fence(std::memory_order_acquire);
#endif
    return stamp.load(std::memory_order_relaxed) == expected;
  }

  // The slot of a frame below the head must contain that frame or a newer one; otherwise the head
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
