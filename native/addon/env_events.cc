#include "env_events.h"

#include <chrono>
#include <memory>
#include <utility>

#include "bindings.h"

namespace episcope {
namespace {

/// Raises what a listener threw as an uncaught exception, as any emitter does; the other listeners
/// are still called. Returns false if the worker is being terminated: no call is possible any more.
bool report_exception(napi_env env) {
  napi_value exception = nullptr;
  bool is_pending = false;
  return napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending &&
         napi_get_and_clear_last_exception(env, &exception) == napi_ok &&
         napi_fatal_exception(env, exception) == napi_ok;
}

}  // namespace

bool EnvEvents::open(Napi::Env env) {
  auto* state = env.GetInstanceData<EnvState>();
  if (state->events->is_open()) return true;
  // The function is finalized after the cleanup hooks, when the environment's state may be gone.
  auto* context = new std::shared_ptr<EnvEvents>(state->events);
  napi_threadsafe_function function = nullptr;
  napi_status status = napi_create_threadsafe_function(
      env, nullptr, nullptr, Napi::String::New(env, "episcope"), 0, 1, context,
      [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<EnvEvents>*>(data); },
      context, deliver, &function);
  if (status != napi_ok) {
    delete context;
  } else {
    napi_unref_threadsafe_function(env, function);
    const std::lock_guard lock(state->events->mutex_);
    state->events->function_ = function;
    // Once for the environment (a hook that is added twice aborts the process), and after the
    // function, so that this hook runs before the function's own.
    status = napi_add_env_cleanup_hook(env, end_environment, state);
  }
  if (status == napi_ok) return true;
  Napi::Error::New(env).ThrowAsJavaScriptException();
  return false;
}

uint32_t EnvEvents::add(Napi::Env env, std::shared_ptr<EnvListener> listener) {
  // The ids wrap around after 2^32, and some may still be in use.
  do last_id_++;
  while (listeners_.count(last_id_) > 0);
  if (listener->is_holding_) count_holders(env, 1);
  listeners_.emplace(last_id_, std::move(listener));
  return last_id_;
}

void EnvEvents::remove(Napi::Env env, uint32_t id) {
  set_holding(env, id, false);
  listeners_.erase(id);
}

void EnvEvents::set_holding(Napi::Env env, uint32_t id, bool is_holding) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end() || found->second->is_holding_ == is_holding) return;
  found->second->is_holding_ = is_holding;
  count_holders(env, is_holding ? 1 : -1);
}

void EnvEvents::count_holders(Napi::Env env, int change) {
  holders_ += change;
  if (!is_open()) return;
  if (change > 0 && holders_ == 1) napi_ref_threadsafe_function(env, function_);
  if (holders_ == 0) napi_unref_threadsafe_function(env, function_);
}

void EnvEvents::news(uint32_t id) {
  const std::lock_guard lock(mutex_);
  tell(id);
}

void EnvEvents::action_done(uint32_t id, int error_number) { tell_result(id, error_number); }

void EnvEvents::append_done(uint32_t id, const LogFailure& failure) { tell_result(id, failure); }

void EnvEvents::tell_result(uint32_t id, std::variant<int, LogFailure> result) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  results_[id] = result;
  tell(id);
}

void EnvEvents::tell(uint32_t id) {
  if (closed_) return;
  untold_.push_back(id);
  // One call delivers all ids that have been added by then.
  if (untold_.size() == 1) {
    napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
  }
  told_.notify_all();
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
  // The references end with their environment, but this object may live longer.
  listeners_.clear();
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  closed_ = true;
  untold_.clear();
  results_.clear();
  // Not yet finalized, because this runs before the function's own hook. Newer releases of Node
  // leak a function that its threads still hold at that time.
  if (function_ != nullptr) napi_release_threadsafe_function(function_, napi_tsfn_release);
  function_ = nullptr;
}

void EnvEvents::deliver(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;
  EnvEvents& self = **static_cast<std::shared_ptr<EnvEvents>*>(context);
  std::vector<uint32_t> ids;
  {
    const std::lock_guard lock(self.mutex_);
    ids.swap(self.untold_);
  }
  const Napi::Value undefined = Napi::Env(env).Undefined();
  for (const uint32_t id : ids) {
    const Napi::HandleScope scope(env);
    // A listener that was called earlier may have removed it.
    const auto found = self.listeners_.find(id);
    if (found == self.listeners_.end()) continue;
    const std::shared_ptr<EnvListener> listener = found->second;
    bool is_last = false;
    const napi_value argument = listener->take(env, id, is_last);
    if (is_last) self.remove(env, id);
    if (argument == nullptr) continue;
    const napi_status status =
        napi_call_function(env, undefined, listener->function_.Value(), 1, &argument, nullptr);
    if (status != napi_ok && !report_exception(env)) return;
  }
}

}  // namespace episcope
