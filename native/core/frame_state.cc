#include "frame_state.h"

#include <algorithm>
#include <bit>

namespace episcope {
namespace {

/// Calls `visit` with each word of a mask.
template <typename Visit>
void for_each_word(uint64_t mask, const Visit& visit) {
  for (; mask != 0; mask &= mask - 1) visit(static_cast<uint32_t>(std::countr_zero(mask)));
}

constexpr uint64_t gauges(uint32_t part) { return part::kWords[part] & ~part::kCounters[part]; }

uint64_t clamp(uint64_t value, uint64_t low, uint64_t high) {
  return std::min(std::max(value, low), high);
}

}  // namespace

bool FrameState::apply(Reading& reading, const PartOrigin& origin, uint32_t flags) {
  bool source_changed = false;
  uint32_t meta = flags & 0x1f;

  for (uint32_t p = 0; p < 3; p++) {
    const uint64_t counters = part::kCounters[p];
    uint32_t source = origin.source[p];
    uint32_t quality_bits = origin.quality[p];
    const bool carry = source == source::kUnavailable && (flags & flag::kTerminal) != 0 &&
                       last_source_[p] != source::kUnavailable;
    if (source != source::kUnavailable) {
      const bool rebase =
          last_source_[p] != source::kUnavailable &&
          (last_source_[p] != source || restarted(reading, counters, frame_source_[p]));
      if (rebase) quality_bits |= quality::kRebased;
      for_each_word(counters, [&](uint32_t w) { continue_counter(reading, w, rebase); });
      last_source_[p] = source;
    } else {
      for_each_word(part::kWords[p], [&](uint32_t w) {
        reading.unset(w);
        if (carry && published_.has(w)) reading.set(w, published_.get(w));
      });
      if (carry) {
        source = last_source_[p];
        // A counter may have grown since it was read; a gauge is only out of date.
        quality_bits = quality::kStale | (gauges(p) == 0 ? quality::kLowerBound : 0);
      }
    }

    // Carried values were not read again, so no source has returned.
    if (any_frame_ && !carry && frame_source_[p] != source) source_changed = true;
    frame_source_[p] = source;
    meta |= source << (meta_shift::kSourceCpu + 2 * p);
    meta |= quality_bits << (meta_shift::kQualityCpu + 4 * p);
    if (source == source::kProc) meta |= flag::kDegraded;
  }

  for_each_word(part::kCounters[part::kExtraIndex],
                [&](uint32_t w) { continue_counter(reading, w, false); });
  clamp_cpu_split(reading);
  raise_peak(reading);

  reading.set(word::kTsMono, std::max(reading.get(word::kTsMono), published_.get(word::kTsMono)));
  reading.set(word::kMeta, meta);

  for (uint32_t w = word::kTsMono; w < kFrameWords; w++) {
    if (w != word::kValid && w != word::kMeta && reading.has(w)) published_.set(w, reading.get(w));
  }
  any_frame_ = true;
  return source_changed;
}

void FrameState::raise(uint32_t w, uint64_t value) {
  if (published_.has(w)) published_.set(w, std::max(value, published_.get(w)));
}

void FrameState::raise_peak_of_processes(uint64_t bytes) {
  if (last_source_[1] == source::kProc) raise(word::kMemPeakBytes, bytes);
}

// Whether a part is back after a frame without it, with a lower counter: the controller was
// disabled meanwhile and counts from 0 again.
bool FrameState::restarted(const Reading& reading, uint64_t counters, uint32_t frame_source) const {
  if (!any_frame_ || frame_source != source::kUnavailable) return false;
  bool lower = false;
  for_each_word(counters, [&](uint32_t w) {
    lower |= reading.has(w) && published_.has(w) && continued(reading, w) < published_.get(w);
  });
  return lower;
}

uint64_t FrameState::continued(const Reading& reading, uint32_t w) const {
  const Base& base = bases_[w];
  const uint64_t raw = std::min(reading.get(w), kMaxFrameCount);
  return saturating_add(base.published, saturating_sub(raw, base.raw));
}

void FrameState::continue_counter(Reading& reading, uint32_t w, bool rebase) {
  if (!reading.has(w)) return;
  if (rebase && published_.has(w)) bases_[w] = {reading.get(w), published_.get(w)};
  reading.set(w, std::max(continued(reading, w), published_.get(w)));
}

// The kernel divides usage into user and system by sampling, so each of them can decrease while
// usage does not.
void FrameState::clamp_cpu_split(Reading& reading) const {
  if (!reading.has(word::kCpuNs)) return;
  const uint64_t usage = reading.get(word::kCpuNs);
  const uint64_t last_user = published_.get(word::kCpuUserNs);
  const uint64_t last_system = published_.get(word::kCpuSystemNs);
  const uint64_t user =
      clamp(reading.get(word::kCpuUserNs), last_user, saturating_sub(usage, last_system));
  if (reading.has(word::kCpuUserNs)) reading.set(word::kCpuUserNs, user);
  if (reading.has(word::kCpuSystemNs)) {
    reading.set(word::kCpuSystemNs,
                clamp(reading.get(word::kCpuSystemNs), last_system, saturating_sub(usage, user)));
  }
}

void FrameState::raise_peak(Reading& reading) const {
  if (!reading.has(word::kMemPeakBytes)) return;
  reading.set(word::kMemPeakBytes,
              std::max({reading.get(word::kMemPeakBytes), reading.get(word::kMemRssBytes),
                        published_.get(word::kMemPeakBytes)}));
}

}  // namespace episcope
