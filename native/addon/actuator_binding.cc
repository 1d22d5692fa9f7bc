// Actions on cgroups that may stall in the kernel, for TypeScript. At the end of one the
// listener of its id is called.
#include <string>
#include <utility>

#include "../core/actuator.h"
#include "../core/clock.h"
#include "../core/limits.h"
#include "bindings.h"
#include "shared_thread.h"

namespace episcope {
namespace {

/// Never destroyed: see SharedThread.
SharedThread<Actuator>& shared_actuator() {
  static auto* const instance = new SharedThread<Actuator>;
  return *instance;
}

// startAction(directory, file, text, id) → 0, or the errno that kept the thread from starting.
// file '': remove the directory.
Napi::Value StartAction(const Napi::CallbackInfo& info) {
  EnvState& state = *info.Env().GetInstanceData<EnvState>();
  int error = 0;
  Actuator* actuator = env_actuator(state, error);
  if (actuator == nullptr) return Napi::Number::New(info.Env(), error);
  Action action;
  action.directory = info[0].As<Napi::String>();
  action.file = info[1].As<Napi::String>();
  action.text = info[2].As<Napi::String>();
  action.id = info[3].As<Napi::Number>();
  action.listener = state.events;
  actuator->add(std::move(action));
  return Napi::Number::New(info.Env(), 0);
}

// takeActionResult(id) → 0 or the errno, of an action whose end was told
Napi::Value TakeActionResult(const Napi::CallbackInfo& info) {
  EnvState& state = *info.Env().GetInstanceData<EnvState>();
  const uint32_t id = info[0].As<Napi::Number>();
  return Napi::Number::New(info.Env(), state.events->take_action_result(id));
}

}  // namespace

Actuator* env_actuator(EnvState& state, int& error_number) {
  if (state.actuator == nullptr) state.actuator = shared_actuator().acquire(error_number);
  return state.actuator;
}

void end_actions(EnvState& state, uint64_t deadline_ns) {
  if (state.actuator == nullptr) return;
  state.actuator = nullptr;
  shared_actuator().release(saturating_sub(deadline_ns, monotonic_ns()));
}

void init_actuator(Napi::Env env, Napi::Object exports) {
  exports.Set("startAction", Napi::Function::New<StartAction>(env));
  exports.Set("takeActionResult", Napi::Function::New<TakeActionResult>(env));
}

}  // namespace episcope
