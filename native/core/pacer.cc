#include "pacer.h"

#include <algorithm>

#include "limits.h"

namespace episcope {

void Pacer::start(uint64_t anchor_ns, uint64_t period_ns, uint64_t now_ns) {
  period_ns_ = period_ns;
  missed_ = 0;
  last_ns_ = anchor_ns;
  advance(now_ns);
}

bool Pacer::due(uint64_t now_ns) const {
  return now_ns + std::min(period_ns_ / kPacerSlackShare, kMaxPacerSlackNs) >= deadline_ns_;
}

void Pacer::served(uint64_t now_ns) {
  last_ns_ = deadline_ns_;
  advance(now_ns);
}

void Pacer::set_period(uint64_t period_ns, uint64_t now_ns) {
  period_ns_ = period_ns;
  const uint64_t passed = saturating_sub(now_ns, last_ns_) / period_ns_;
  deadline_ns_ = last_ns_ + std::max<uint64_t>(1, passed) * period_ns_;
}

/// Counts the deadlines that passed since the last one as missed.
void Pacer::advance(uint64_t now_ns) {
  const uint64_t passed = saturating_sub(now_ns, last_ns_) / period_ns_;
  missed_ = static_cast<uint32_t>(std::min<uint64_t>(missed_ + passed, UINT32_MAX));
  last_ns_ += passed * period_ns_;
  deadline_ns_ = last_ns_ + period_ns_;
}

}  // namespace episcope
