// How a child of this process ended, for TypeScript: Node tells no real-time signal.
#include <memory>

#include "../core/child_watch.h"
#include "../core/process_figures.h"
#include "bindings.h"

namespace episcope {
namespace {

struct WatchedChild {
  std::shared_ptr<ChildWatch> watch;
};

// watchChild(pid) → External, or null: no child of ours, or none that can be watched
Napi::Value WatchChild(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  EnvState& state = *env.GetInstanceData<EnvState>();
  auto watch = state.children.watch(env, info[0].As<Napi::Number>());
  if (!watch) return env.Null();
  return external(env, new WatchedChild{std::move(watch)});
}

// childExit(watched) → { code, signal, peakBytes, dirtiedBytes }, or null while it lives or where
// nobody asked in time; signal 0: it exited by itself, peakBytes 0: not known
Napi::Value GetChildExit(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto exit = info[0].As<Napi::External<WatchedChild>>().Data()->watch->exit();
  if (!exit) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("code", Napi::Number::New(env, exit->code));
  object.Set("signal", Napi::Number::New(env, exit->signal));
  object.Set("peakBytes", Napi::BigInt::New(env, exit->peak_bytes));
  Observation used;
  observe_rusage(exit->usage, used);
  object.Set("dirtiedBytes", Napi::BigInt::New(env, used.reaped[channel::kIoWrite]));
  return object;
}

}  // namespace

void init_children(Napi::Env env, Napi::Object exports) {
  exports.Set("watchChild", Napi::Function::New<WatchChild>(env));
  exports.Set("childExit", Napi::Function::New<GetChildExit>(env));
}

}  // namespace episcope
