// The actions that are taken when a limit is reached.
#pragma once

#include "schema.h"

namespace episcope {

/// An action that failed.
struct FailedAction {
  ExhaustAction action = ExhaustAction::kStop;
  int error_number = 0;  // 0 if the episode has no cgroup
  /// The weaker action that is taken instead.
  ExhaustAction next = ExhaustAction::kStop;
};

}  // namespace episcope
