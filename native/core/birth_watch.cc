#include "birth_watch.h"

#include <algorithm>
#include <climits>

#include "parse_text.h"

namespace episcope {

Search BirthWatch::begin(uint64_t lists, uint64_t now_ns, ReadBuffer& buffer) {
  began_ns_ = now_ns;
  born_.clear();
  // The loadavg of a recorded tree does not show births.
  if (lists <= kBirthFewLists || !root_.same_pids) {
    last_pid_ = 0;
    return Search::kLists;
  }
  const int before = last_pid_;
  const int now = last_pid(buffer);
  const uint64_t since = saturating_sub(now_ns, ended_ns_);
  // The first sample with many lists has no earlier pid to count births from.
  const bool is_due =
      (before == 0 && now > 0) ||
      since >= std::max(kBirthRegularNs, saturating_mul(cost_ns_, kBirthRegularShare));
  // After the highest pid the kernel starts over: the number of births is then unknown.
  const bool is_known = before > 0 && now >= before;
  const bool are_few =
      is_known && static_cast<uint64_t>(now - before) <= lists / kBirthListsPerBirth;
  if (is_due || (!are_few && since >= saturating_mul(cost_ns_, kBirthForcedShare))) {
    last_pid_ = now;
    late_.clear();
    return Search::kLists;
  }
  if (!are_few) return Search::kNone;
  list_born(before, now);
  last_pid_ = now;
  return Search::kBirths;
}

void BirthWatch::searched(uint64_t now_ns) {
  cost_ns_ = saturating_sub(now_ns, began_ns_);
  ended_ns_ = now_ns;
}

void BirthWatch::list_born(int from, int to) {
  std::swap(born_, late_);
  late_.clear();
  retried_ = born_.size();
  for (int pid = from + 1; pid <= to; ++pid) born_.push_back(pid);
}

void BirthWatch::not_there(int pid) {
  const auto retried = born_.begin() + static_cast<std::ptrdiff_t>(retried_);
  if (std::find(born_.begin(), retried, pid) == retried) late_.push_back(pid);
}

/// Returns the last number of `0.20 0.18 0.12 1/80 11206`, or 0 if it cannot be read.
int BirthWatch::last_pid(ReadBuffer& buffer) {
  if (loadavg_.read(root_.fd, buffer).status != ReadStatus::kOk) return 0;
  const Text text(buffer.bytes, buffer.size);
  const size_t end = text.find('\n') == Text::npos ? text.size() : text.find('\n');
  const size_t space = text.rfind(' ', end);
  uint64_t pid = 0;
  if (space == Text::npos || parse_number(text, space + 1, end, pid) || pid > INT_MAX) return 0;
  return static_cast<int>(pid);
}

}  // namespace episcope
