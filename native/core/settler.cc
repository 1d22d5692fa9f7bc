#include "settler.h"

#include <algorithm>

namespace episcope {

void Settler::linger_if_root_is_gone() {
  if (!lingering() && !episode_.root_alive()) linger_due_ns_ = clock_() + linger_delay_ns_;
}

bool Settler::look_for_end(ReadBuffer& buffer) {
  if (episode_.ended(buffer)) return true;
  linger_if_root_is_gone();
  if (!lingering()) return false;
  // A cgroup is removed soon after its root's exit, or so much later that the frames already have
  // its totals. The interval is compared before it grows: an extra read costs less than lost
  // totals.
  if (linger_delay_ns_ < kLingerMaxNs) episode_.remember(buffer);
  const uint64_t now = clock_();
  if (linger_due_ns_ > now) return false;
  linger_delay_ns_ = std::min(2 * linger_delay_ns_, kLingerMaxNs);
  linger_due_ns_ = now + linger_delay_ns_;
  return false;
}

void Settler::begin(bool exited, ReadBuffer& buffer) {
  exited_ = exited;
  changed_ns_ = clock_();
  limit_ns_ = changed_ns_ + kSettleLimitNs;
  episode_.settle(buffer);
  due_ns_ = clock_() + kSettleIntervalNs;
}

bool Settler::settle(ReadBuffer& buffer) {
  const uint64_t now = clock_();
  if (!episode_.settle(buffer)) changed_ns_ = now;
  due_ns_ = clock_() + kSettleIntervalNs;
  return now - changed_ns_ >= kSettleAgreeNs || due_ns_ > limit_ns_;
}

}  // namespace episcope
