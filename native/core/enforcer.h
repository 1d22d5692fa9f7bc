// What is done to an episode's processes when a limit is reached: the action, its repetition, and
// the weaker action that replaces one that fails. The twin of src/engine/js/enforcer.ts.
#pragma once

#include <cstdint>
#include <memory>

#include "clock.h"
#include "driven_episode.h"
#include "mailbox.h"

namespace episcope {

/// The state of an enforcement.
enum class Enforced {
  kPending,
  kDone,     // all processes are frozen or dead
  kGivenUp,  // the session must end
};

class Enforcer {
 public:
  /// Failures are noted in the mailbox. `actions`: the queue of the thread that freezes and kills;
  /// null if no such action is requested.
  Enforcer(DrivenEpisode& episode, Mailbox& mailbox, std::shared_ptr<ActionQueue> actions,
           Clock clock);

  /// `listener` is notified when an action is done.
  Enforced begin(ExhaustAction action, std::weak_ptr<ActionListener> listener);
  /// Reports the result of an action; ignored unless the action is the last one.
  Enforced action_done(ActionResult result, ReadBuffer& buffer);
  /// Called at look_ns(), or at a hint once the freeze or kill was requested.
  Enforced look(ReadBuffer& buffer);

  bool active() const { return state_ != State::kIdle; }
  /// Whether the kernel has accepted the freeze or kill, which can take a while to complete.
  bool told() const { return state_ == State::kTold; }
  uint64_t look_ns() const { return active() ? look_ns_ : UINT64_MAX; }

 private:
  enum class State {
    kIdle,
    kAsked,   // an action is under way
    kPaused,  // some processes were not found or did not die: repeated at look_ns_
    kTold,
  };

  Enforced start(ExhaustAction action);
  Enforced act(bool again);
  Enforced give_up(int error_number);

  DrivenEpisode& episode_;
  Mailbox& mailbox_;
  const std::shared_ptr<ActionQueue> actions_;
  const Clock clock_;
  std::weak_ptr<ActionListener> listener_;
  uint32_t action_id_ = 0;  // of the last action

  State state_ = State::kIdle;
  ExhaustAction action_ = ExhaustAction::kStop;
  bool outside_ = false;      // acts outside the cgroup, whose members were killed
  int unfinished_errno_ = 0;  // why the action is repeated
  uint64_t look_ns_ = 0;
  uint64_t delay_ns_ = 0;
  uint64_t limit_ns_ = 0;
};

}  // namespace episcope
