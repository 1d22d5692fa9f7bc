// What is done when a limit is reached.
#pragma once

#include <cstdint>

namespace episcope {

/// The weakest first (EXHAUST_ACTIONS in src/engine/engine.ts).
enum class ExhaustAction : uint32_t { kStop = 0, kFreeze = 1, kKill = 2 };

/// An action that failed.
struct FailedAction {
  ExhaustAction action = ExhaustAction::kStop;
  int error_number = 0;  // 0: the episode has no cgroup
  /// The weaker one that is taken instead.
  ExhaustAction next = ExhaustAction::kStop;
};

}  // namespace episcope
