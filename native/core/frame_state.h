// What an episode has published so far, and the rules that turn a reading into the next frame:
// counters never go backwards, user + system ≤ usage, and a change of source continues by deltas.
// The twin of src/engine/js/frame-state.ts.
#pragma once

#include <cstdint>

#include "reading.h"

namespace episcope {

/// Sources and quality of the three parts, by index: 0 cpu, 1 memory, 2 io.
struct PartOrigin {
  uint32_t source[3] = {};
  uint32_t quality[3] = {};
};

class FrameState {
 public:
  /// Turns `reading` into a publishable frame in place: clamps it against what was published,
  /// carries the last values of unavailable parts when `flags` has kTerminal, and fills META.
  /// Remembers the result. Returns true when a part's source differs from the frame before.
  bool apply(Reading& reading, const PartOrigin& origin, uint32_t flags);

  /// The last value of each word.
  const Reading& published() const { return published_; }
  /// A word that was published is at least so much from the next frame on.
  void raise(uint32_t w, uint64_t value);
  /// The same for the peak, unless a cgroup tells that itself.
  void raise_peak_of_processes(uint64_t bytes);

 private:
  // A counter of a new source continues as base_published + (raw − base_raw).
  struct Base {
    uint64_t raw = 0;
    uint64_t published = 0;
  };

  bool restarted(const Reading& reading, uint64_t counters, uint32_t frame_source) const;
  uint64_t continued(const Reading& reading, uint32_t w) const;
  void continue_counter(Reading& reading, uint32_t w, bool rebase);
  void clamp_cpu_split(Reading& reading) const;
  void raise_peak(Reading& reading) const;

  Reading published_;  // the last value of each word, kept while its part is unavailable
  Base bases_[kFrameWords];
  uint32_t last_source_[3] = {};   // the last source that gave the part
  uint32_t frame_source_[3] = {};  // as in the last frame, kUnavailable included
  bool any_frame_ = false;
};

}  // namespace episcope
