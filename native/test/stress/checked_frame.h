// Frames in which every word follows from the seq, and the last one from all words: any mix of two
// frames is seen. test/ring/checked-frame.mjs is the same for JavaScript.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "../../core/reading.h"
#include "../../core/ring_reader.h"
#include "../../core/schema.h"

namespace episcope {

inline constexpr uint32_t kFirstHalf = 2 * (word::kSeq + 1);
inline constexpr uint32_t kHalves = 2 * kFrameWords;
inline constexpr uint32_t kChecksumHalf = kHalves - 1;

inline uint32_t checked_half(uint32_t seq, uint32_t half) { return (seq + half) * 0x9E3779B1u; }

inline uint32_t with_half(uint32_t checksum, uint32_t half) {
  return std::rotl(checksum, 1) ^ half;
}

inline void fill(Reading* reading, uint64_t seq) {
  uint32_t halves[kHalves] = {};
  uint32_t checksum = 0;
  for (uint32_t half = kFirstHalf; half < kChecksumHalf; half++) {
    halves[half] = checked_half(static_cast<uint32_t>(seq), half);
    checksum = with_half(checksum, halves[half]);
  }
  halves[kChecksumHalf] = checksum;
  std::memcpy(reading->words, halves, sizeof halves);
}

inline bool whole(const FrameWords& frame) {
  uint32_t halves[kHalves];
  std::memcpy(halves, frame.words, sizeof halves);
  const auto seq = static_cast<uint32_t>(frame.words[word::kSeq]);
  uint32_t checksum = 0;
  uint32_t wrong = 0;
  for (uint32_t half = kFirstHalf; half < kChecksumHalf; half++) {
    wrong |= halves[half] ^ checked_half(seq, half);
    checksum = with_half(checksum, halves[half]);
  }
  return wrong == 0 && checksum == halves[kChecksumHalf];
}

}  // namespace episcope
