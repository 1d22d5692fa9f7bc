// The episodes that any thread of this process is sampling: a shared collector refuses a second
// session of the same episode.
#include <mutex>
#include <string>
#include <unordered_set>

#include "bindings.h"
#include "js_call.h"

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

bool claim(std::string id, Napi::Env env) {
  auto* state = env.GetInstanceData<EnvState>();
  const std::lock_guard lock(claims().mutex);
  const bool claimed = claims().ids.insert(id).second;
  if (claimed) state->claims.insert(id);
  return claimed;
}

/// Does nothing unless this environment claimed the episode.
void release(std::string id, Napi::Env env) {
  auto* state = env.GetInstanceData<EnvState>();
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
  define_functions(env, exports, "claims",
                   {
                       function<&claim>("claimEpisode"),
                       function<&release>("releaseEpisode"),
                   });
}

}  // namespace episcope
