#include "env_state.h"

#include "../core/clock.h"
#include "../core/schema.h"

namespace episcope {
EnvState::~EnvState() { release_claims(*this); }

void end_environment(void* data) {
  EnvState& state = *static_cast<EnvState*>(data);
  const uint64_t deadline_ns = monotonic_ns() + kSamplerEndLimitNs;
  end_sampling(state, deadline_ns);
  release_claims(state);
  end_actions(state, deadline_ns);
  state.events->close();
}

}  // namespace episcope
