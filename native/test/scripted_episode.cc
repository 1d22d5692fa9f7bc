#include "scripted_episode.h"

#include <utility>

namespace episcope::test {

uint32_t ScriptedEpisode::sample(uint32_t flags, ReadBuffer&) { return publish(nullptr, flags); }

uint32_t ScriptedEpisode::publish(const uint64_t*, uint32_t flags) {
  *script_.now_ns += script_.cost_ns;
  if (script_.ended && (flags & kSampleHoldIfEnded) != 0) return outcome::kEnded;
  if (*script_.now_ns >= script_.wall_due_ns) script_.wall_due_ns = UINT64_MAX;
  flags &= ~kSampleHoldIfEnded;
  last_.set(word::kSeq, script_.frames.size());
  last_.set(word::kMeta, flags);
  script_.frames.push_back(flags);
  return std::exchange(script_.outcome, 0) | (script_.ended ? outcome::kEnded : 0);
}

bool ScriptedEpisode::ended(ReadBuffer&) {
  script_.looked_ns.push_back(*script_.now_ns);
  return script_.ended;
}

bool ScriptedEpisode::settle(ReadBuffer&) {
  script_.settled_ns.push_back(*script_.now_ns);
  return script_.settled_ns.size() > 1 && !script_.counters_move;
}

void ScriptedEpisode::remember(ReadBuffer&) { script_.remembered_ns.push_back(*script_.now_ns); }

/// Names nobody: the test answers in place of the actuator.
Action ScriptedEpisode::enforcement(ExhaustAction action, bool outside, bool) {
  script_.acted.push_back({action, outside});
  Action nothing;
  nothing.kill = std::make_shared<OwnedKillPlan>(KillPlan{});
  return nothing;
}

}  // namespace episcope::test
