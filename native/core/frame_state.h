// Turns readings into frames, given what the episode has published so far: counters never decrease,
// user + system ≤ usage, and after a change of source counters continue by the deltas of the new
// source. The twin of src/engine/js/frame-state.ts; test/tables/frame-state.txt holds the rules.
#pragma once

#include <cstdint>

#include "reading.h"

namespace episcope {

/// The sources and quality bits of the three parts, by index: 0 cpu, 1 memory, 2 io.
struct PartOrigin {
  uint32_t source[3] = {};
  uint32_t quality[3] = {};
};

class FrameState {
 public:
  /// Turns `reading` into a frame in place and remembers it as published: clamps it against what
  /// was published before, carries the last values of unavailable parts when `flags` has kTerminal,
  /// and fills META. Returns true if the source of a part differs from that in the frame before.
  bool apply(Reading& reading, const PartOrigin& origin, uint32_t flags);

  /// The last published value of each word.
  const Reading& published() const { return published_; }
  /// Makes `value` the lower bound of a counter or peak that was published before.
  void raise(uint32_t w, uint64_t value);
  /// The same for the memory peak, unless the peak comes from a cgroup.
  void raise_peak_of_processes(uint64_t bytes);

 private:
  // A rebased counter is published + (value read − raw).
  struct Base {
    uint64_t raw = 0;
    uint64_t published = 0;
  };

  bool restarted(const Reading& reading, uint64_t counters, uint32_t frame_source) const;
  uint64_t continued(const Reading& reading, uint32_t w) const;
  void continue_counter(Reading& reading, uint32_t w, bool rebase);
  void clamp_cpu_split(Reading& reading) const;
  void raise_peak(Reading& reading) const;

  Reading published_;  // keeps the words of parts that are unavailable now
  Base bases_[kFrameWords];
  uint32_t last_source_[3] = {};   // the last source that was available
  uint32_t frame_source_[3] = {};  // the source in the last frame, possibly kUnavailable
  bool any_frame_ = false;
};

}  // namespace episcope
