// Which episodes are being sampled in this process, in whatever thread: a collector that is shared
// refuses a second session of one.
#include <mutex>
#include <string>
#include <unordered_set>

#include "bindings.h"

namespace episcope {
namespace {

struct Claims {
  std::mutex mutex;
  std::unordered_set<std::string> ids;
};

/// Never destroyed: workers may end after the exit handlers of the process have run.
Claims& claims() {
  static auto* const instance = new Claims;
  return *instance;
}

// claimEpisode(id) → false where it is claimed already
Napi::Value ClaimEpisode(const Napi::CallbackInfo& info) {
  const std::string id = info[0].As<Napi::String>();
  auto* state = info.Env().GetInstanceData<EnvState>();
  const std::lock_guard lock(claims().mutex);
  const bool claimed = claims().ids.insert(id).second;
  if (claimed) state->claims.insert(id);
  return Napi::Boolean::New(info.Env(), claimed);
}

// releaseEpisode(id): of this environment's claims; else nothing.
void ReleaseEpisode(const Napi::CallbackInfo& info) {
  const std::string id = info[0].As<Napi::String>();
  auto* state = info.Env().GetInstanceData<EnvState>();
  const std::lock_guard lock(claims().mutex);
  if (state->claims.erase(id) > 0) claims().ids.erase(id);
}

}  // namespace

void release_claims(EnvState& state) {
  const std::lock_guard lock(claims().mutex);
  for (const std::string& id : state.claims) claims().ids.erase(id);
  state.claims.clear();
}

void init_claims(Napi::Env env, Napi::Object exports) {
  exports.Set("claimEpisode", Napi::Function::New<ClaimEpisode>(env));
  exports.Set("releaseEpisode", Napi::Function::New<ReleaseEpisode>(env));
}

}  // namespace episcope
