#include "enforcer.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace episcope {

Enforcer::Enforcer(DrivenEpisode& episode, Mailbox& mailbox, std::shared_ptr<ActionQueue> actions,
                   Clock clock)
    : episode_(episode), mailbox_(mailbox), actions_(std::move(actions)), clock_(clock) {}

Enforced Enforcer::begin(ExhaustAction action, std::weak_ptr<ActionListener> listener) {
  listener_ = std::move(listener);
  return start(action);
}

Enforced Enforcer::start(ExhaustAction action) {
  state_ = State::kIdle;
  if (action == ExhaustAction::kStop) return Enforced::kGivenUp;
  action_ = action;
  outside_ = false;
  limit_ns_ = clock_() + kEnforceLimitNs;
  if (action == ExhaustAction::kFreeze && !episode_.has_cgroup()) return give_up(0);
  return act(false);
}

/// Requests the action from the actuator.
Enforced Enforcer::act(bool again) {
  state_ = State::kAsked;
  look_ns_ = limit_ns_;
  Action action = episode_.enforcement(action_, outside_, again);
  // No descriptor was left for the cgroup.
  if (!action.kill && action.directory_fd.get() < 0) return give_up(errno);
  action.id = ++action_id_;
  action.listener = listener_.lock();
  if (!actions_ || !actions_->add(std::move(action))) return give_up(ESHUTDOWN);
  return Enforced::kPending;
}

Enforced Enforcer::action_done(ActionResult result, ReadBuffer& buffer) {
  if (state_ != State::kAsked || result.id != action_id_) return Enforced::kPending;
  const bool unfinished = result.error_number == EAGAIN || result.error_number == ETIMEDOUT;
  const uint64_t now = clock_();
  if (unfinished && now < limit_ns_) {
    state_ = State::kPaused;
    unfinished_errno_ = result.error_number;
    look_ns_ = now + kLingerFirstNs;
    return Enforced::kPending;
  }
  if (result.error_number != 0) return give_up(result.error_number);
  // The process may not have been moved into the cgroup, but still belongs to the episode.
  if (action_ == ExhaustAction::kKill && !outside_ && episode_.may_live_outside()) {
    outside_ = true;
    return act(false);
  }
  state_ = State::kTold;
  delay_ns_ = kLingerFirstNs;
  return look(buffer);
}

Enforced Enforcer::look(ReadBuffer& buffer) {
  if (told() && episode_.is_enforced(action_, buffer)) return Enforced::kDone;
  const uint64_t now = clock_();
  if (now >= limit_ns_) return give_up(state_ == State::kPaused ? unfinished_errno_ : ETIMEDOUT);
  if (state_ == State::kPaused) return act(true);
  look_ns_ = now + delay_ns_;
  delay_ns_ = std::min(2 * delay_ns_, kLingerMaxNs);
  return Enforced::kPending;
}

/// Replaces an action that failed with the next weaker one.
Enforced Enforcer::give_up(int error_number) {
  const bool freezes = action_ == ExhaustAction::kKill && episode_.has_cgroup();
  const ExhaustAction next = freezes ? ExhaustAction::kFreeze : ExhaustAction::kStop;
  mailbox_.note_failed({action_, error_number, next});
  return start(next);
}

}  // namespace episcope
