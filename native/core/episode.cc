#include "episode.h"

#include <algorithm>
#include <cstring>

#include "clock.h"

namespace episcope {
namespace {

constexpr uint32_t kMeasured = part::kCpu | part::kMemory | part::kIo;

bool same_failure(const ReadFailure& a, const ReadFailure& b) {
  return a.code == b.code && a.error_number == b.error_number && a.reason == b.reason &&
         std::strcmp(a.file, b.file) == 0;
}

}  // namespace

ReadFailure Episode::open(const Options& options, ReadBuffer& buffer) {
  tier_ = options.tier;
  reaper_ = options.process.reaper_pid != 0;
  if (options.cgroup_root != nullptr && tier_ != Tier::kProc) {
    const ReadFailure failure =
        cgroup_.open(options.cgroup_root, options.cgroup_path, options.require_cgroupfs);
    if (failure) return failure;
    cgroup_.set_memory_stat_period(options.memory_stat_period_ns);
  }
  const ReadFailure failure = proc_.open(options.process, buffer);
  if (failure && (!cgroup_.is_open() || failure.code == ReadCode::kInvalidPid)) return failure;
  return {};
}

uint32_t Episode::sample(uint32_t flags, ReadBuffer& buffer) {
  const uint64_t begin = monotonic_ns();
  // Before the counters: what is read after the end was seen holds the end (kernel-facts: the oom
  // kill too).
  const bool has_ended = ended(buffer);
  if (has_ended && (flags & kHoldIfEnded) != 0) return outcome::kEnded;

  Reading reading;
  PartOrigin origin;
  reading.set(word::kTsMono, monotonic_ns());
  read_parts(part::kAll, buffer, reading, origin);
  if ((flags & flag::kTerminal) != 0) mark_final(origin);

  const bool source_changed = state_.apply(reading, origin, flags);
  reading.set(word::kCollectNs, saturating_sub(monotonic_ns(), begin));
  ring_.publish(reading);
  if ((flags & flag::kTerminal) != 0) ring_.end();

  uint32_t result = 0;
  if (source_changed) result |= outcome::kSourceChanged;
  if (has_ended) result |= outcome::kEnded;
  for (const auto& source : pending_) {
    if (std::find(std::begin(source), std::end(source), true) != std::end(source)) {
      result |= outcome::kWarning;
    }
  }
  return result;
}

uint32_t Episode::publish(const uint64_t* given, uint32_t flags) {
  Reading reading;
  std::memcpy(reading.words, given, sizeof reading.words);
  const uint64_t meta = reading.get(word::kMeta);
  PartOrigin origin;
  for (uint32_t p = 0; p < 3; p++) {
    origin.source[p] = static_cast<uint32_t>(meta >> (meta_shift::kSourceCpu + 2 * p)) & 3;
  }
  reading.set(word::kTsMono, monotonic_ns());
  const bool source_changed = state_.apply(reading, origin, flags);
  ring_.publish(reading);
  return source_changed ? outcome::kSourceChanged : 0;
}

void Episode::read_parts(uint32_t parts, ReadBuffer& buffer, Reading& reading, PartOrigin& origin) {
  uint32_t got = 0;
  if (cgroup_.is_open() && !cgroup_.removed()) {
    const uint32_t asked = tier_ == Tier::kLeaf ? parts & (part::kCpu | part::kExtra) : parts;
    got = cgroup_.read(asked, monotonic_ns(), buffer, reading);
    note_failures(asked, got, true);
    for (uint32_t p = 0; p < 3; p++) {
      if ((got >> p & 1) != 0) origin.source[p] = source::kCgroup;
    }
    if ((got & part::kMemory) != 0 && cgroup_.memory_stat_carried()) {
      origin.quality[1] |= quality::kStale;
    }
  }
  if (tier_ == Tier::kCgroup || !proc_.is_open()) return;

  uint32_t missing = parts & kMeasured & ~got;
  if (missing == 0) return;
  if ((parts & part::kExtra) != 0 && !reading.has(word::kPids)) missing |= part::kExtra;
  // Who belongs to the episode is the cgroup's word while it lives, and parentage after that.
  const bool leaf_lives = cgroup_.is_open() && !cgroup_.removed();
  proc_.set_members(leaf_lives ? &cgroup_ : nullptr);
  const uint32_t from_proc = proc_.read(missing, buffer, reading);
  note_failures(missing, from_proc, false);
  for (uint32_t p = 0; p < 3; p++) {
    if ((missing & from_proc) >> p & 1) {
      origin.source[p] = source::kProc;
      origin.quality[p] |= proc_.quality(p);
    }
  }
}

// A terminal frame's part is final when it was read after the last it could count: from the cgroup
// always, from /proc while the process lived or where we reap the tree ourselves.
void Episode::mark_final(PartOrigin& origin) {
  for (uint32_t p = 0; p < 3; p++) {
    const bool final =
        origin.source[p] == source::kCgroup ||
        (origin.source[p] == source::kProc && (proc_.totals_exact() || proc_.root_alive()));
    if (final) origin.quality[p] |= quality::kFinal;
  }
}

void Episode::note_failures(uint32_t asked, uint32_t got, bool from_cgroup) {
  const uint32_t origin_index = from_cgroup ? 0 : 1;
  for (uint32_t p = 0; p < part::kCount; p++) {
    if ((asked >> p & 1) == 0) continue;
    SampleWarning& last = last_warned_[origin_index][p];
    if ((got >> p & 1) != 0) {
      if (!pending_[origin_index][p]) last = {};
      continue;
    }
    const ReadFailure& failure = from_cgroup ? cgroup_.failure(p) : proc_.failure(p);
    // What a source event or the end already tells is no warning.
    const bool told = failure.code == ReadCode::kNone || failure.code == ReadCode::kProcGone ||
                      failure.code == ReadCode::kCgroupNotFound ||
                      (failure.code == ReadCode::kControllerNotEnabled && tier_ != Tier::kCgroup);
    if (told || same_failure(last.failure, failure)) continue;
    last = {p, failure};
    pending_[origin_index][p] = true;
  }
}

uint32_t Episode::take_warnings(SampleWarning* out) {
  uint32_t count = 0;
  for (uint32_t source = 0; source < 2; source++) {
    for (uint32_t p = 0; p < part::kCount; p++) {
      if (pending_[source][p]) out[count++] = last_warned_[source][p];
      pending_[source][p] = false;
    }
  }
  return count;
}

bool Episode::settle(ReadBuffer& buffer) {
  Reading reading;
  PartOrigin origin;
  read_parts(part::kCpu | part::kIo, buffer, reading, origin);
  const bool agrees = std::memcmp(reading.words, settled_.words, sizeof reading.words) == 0;
  settled_ = reading;
  return agrees;
}

bool Episode::ended(ReadBuffer& buffer) {
  if (proc_.is_open() && proc_.root_alive()) return false;
  if (cgroup_.is_open() && !cgroup_.removed()) {
    const Populated populated = cgroup_.populated(buffer);
    if (populated == Populated::kYes) return false;
    if (populated == Populated::kNo && !reaper_) return true;
  }
  if (!proc_.is_open()) return true;
  proc_.set_members(cgroup_.is_open() && !cgroup_.removed() ? &cgroup_ : nullptr);
  Reading unused;
  proc_.read(part::kCpu, buffer, unused);
  return reaper_ ? proc_.totals_exact() : proc_.live_members() == 0;
}

}  // namespace episcope
