#include "env_events.h"

#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include "bindings.h"

namespace episcope {

napi_status EnvEvents::open(Napi::Env env, const std::shared_ptr<EnvEvents>& self,
                            Napi::Function handler) {
  // The function is finalized after the cleanup hooks, when the environment's state may be gone.
  auto* context = new std::shared_ptr<EnvEvents>(self);
  napi_threadsafe_function function = nullptr;
  const napi_status status = napi_create_threadsafe_function(
      env, handler, nullptr, Napi::String::New(env, "episcope"), 0, 1, context,
      [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<EnvEvents>*>(data); },
      context, deliver, &function);
  if (status != napi_ok) {
    delete context;
    return status;
  }
  napi_unref_threadsafe_function(env, function);
  const std::lock_guard lock(self->mutex_);
  self->function_ = function;
  return napi_ok;
}

void EnvEvents::set_waiting(Napi::Env env, bool waiting) {
  if (waiting) {
    napi_ref_threadsafe_function(env, function_);
  } else {
    napi_unref_threadsafe_function(env, function_);
  }
}

void EnvEvents::news(uint32_t id) {
  const std::lock_guard lock(mutex_);
  tell(id);
}

void EnvEvents::action_done(uint32_t id, int error_number) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  results_[id] = error_number;
  tell(id);
}

void EnvEvents::tell(uint32_t id) {
  if (closed_) return;
  untold_.push_back(id);
  // One call delivers all that has come by then.
  if (untold_.size() == 1) {
    napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
  }
  told_.notify_all();
}

int EnvEvents::take_action_result(uint32_t id) {
  const std::lock_guard lock(mutex_);
  const auto node = results_.extract(id);
  return node.empty() ? 0 : node.mapped();
}

bool EnvEvents::wait(uint64_t deadline_ns, std::vector<uint32_t>& ids) {
  // steady_clock is CLOCK_MONOTONIC.
  const std::chrono::steady_clock::time_point deadline{std::chrono::nanoseconds(deadline_ns)};
  std::unique_lock lock(mutex_);
  ids.clear();
  told_.wait_until(lock, deadline, [this] { return !untold_.empty(); });
  ids.swap(untold_);
  return !ids.empty();
}

void EnvEvents::close() {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  closed_ = true;
  untold_.clear();
  results_.clear();
  // Not yet finalized, as this runs before the function's own hook. Newer releases of Node leak one
  // that its threads still hold then.
  if (function_ != nullptr) napi_release_threadsafe_function(function_, napi_tsfn_release);
  function_ = nullptr;
}

void EnvEvents::deliver(napi_env env, napi_value handler, void* context, void*) {
  if (env == nullptr) return;
  EnvEvents& self = **static_cast<std::shared_ptr<EnvEvents>*>(context);
  std::vector<uint32_t> ids;
  {
    const std::lock_guard lock(self.mutex_);
    ids.swap(self.untold_);
  }
  if (ids.empty()) return;
  Napi::Uint32Array array = Napi::Uint32Array::New(env, ids.size());
  // None where the worker was terminated meanwhile.
  if (array.Data() == nullptr) return;
  std::memcpy(array.Data(), ids.data(), ids.size() * sizeof(uint32_t));
  napi_value arguments[] = {array};
  napi_value undefined = Napi::Env(env).Undefined();
  napi_call_function(env, undefined, handler, 1, arguments, nullptr);
}

namespace {

// setNewsHandler(handler: (ids: Uint32Array) => void). Once per environment.
void SetNewsHandler(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto* state = env.GetInstanceData<EnvState>();
  napi_status status = EnvEvents::open(env, state->events, info[0].As<Napi::Function>());
  // After the function, so that this hook runs before the function's own.
  if (status == napi_ok) status = napi_add_env_cleanup_hook(env, end_environment, state);
  if (status != napi_ok) Napi::Error::New(env).ThrowAsJavaScriptException();
}

void SetWaiting(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  env.GetInstanceData<EnvState>()->events->set_waiting(env, info[0].As<Napi::Boolean>());
}

}  // namespace

void init_events(Napi::Env env, Napi::Object exports) {
  exports.Set("setNewsHandler", Napi::Function::New<SetNewsHandler>(env));
  exports.Set("setWaiting", Napi::Function::New<SetWaiting>(env));
}

}  // namespace episcope
