#include "bindings.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new episcope::EnvState);
  episcope::init_actuator(env, exports);
  episcope::init_child_watch(env, exports);
  episcope::init_claims(env, exports);
  episcope::init_directories(env, exports);
  episcope::init_episode(env, exports);
  episcope::init_event_log(env, exports);
  episcope::init_process_control(env, exports);
  episcope::init_readers(env, exports);
  episcope::init_ring_reader(env, exports);
  episcope::init_sampled_episode(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(episcope, Init)
