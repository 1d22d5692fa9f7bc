#include "env_state.h"

#include "../core/clock.h"

namespace episcope {
namespace {

constexpr uint64_t kEndLimitNs = 1'000'000'000;

}  // namespace

EnvState::~EnvState() { release_claims(*this); }

void end_environment(void* data) {
  EnvState& state = *static_cast<EnvState*>(data);
  const uint64_t deadline_ns = monotonic_ns() + kEndLimitNs;
  end_sampling(state, deadline_ns);
  release_claims(state);
  end_actions(state, deadline_ns);
  state.events->close();
}

}  // namespace episcope
