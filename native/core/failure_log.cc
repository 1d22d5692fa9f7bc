#include "failure_log.h"

#include <algorithm>
#include <cstring>

namespace episcope {

bool same_warning(const SampleWarning& one, const SampleWarning& other) {
  const ReadFailure& a = one.failure;
  const ReadFailure& b = other.failure;
  return one.part == other.part && a.code == b.code && a.error_number == b.error_number &&
         a.reason == b.reason && std::strcmp(a.file, b.file) == 0;
}

void FailureLog::begin() {
  now_ ^= 1;
  counts_[now_] = 0;
}

void FailureLog::add(uint32_t part, const ReadFailure& failure) {
  uint32_t& count = counts_[now_];
  if (count == kMaxWarnings) return;
  const SampleWarning warning = {part, failure};
  lists_[now_][count++] = warning;
  const auto is_it = [&](const SampleWarning& other) { return same_warning(warning, other); };
  const SampleWarning* before = lists_[now_ ^ 1];
  if (std::any_of(before, before + counts_[now_ ^ 1], is_it)) return;
  if (std::any_of(pending_, pending_ + pending_count_, is_it)) return;
  if (pending_count_ < kMaxWarnings) pending_[pending_count_++] = warning;
}

uint32_t FailureLog::take(SampleWarning* out) {
  const uint32_t count = pending_count_;
  std::copy(pending_, pending_ + count, out);
  pending_count_ = 0;
  return count;
}

}  // namespace episcope
