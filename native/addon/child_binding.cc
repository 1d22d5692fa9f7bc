// How a child of this process ended, for TypeScript: Node tells no real-time signal.
#include <memory>
#include <optional>
#include <utility>

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

// takeChildExit(watched) → { code, signal, peakBytes, dirtiedBytes }, or null while it lives and
// where it is not known; signal 0: it exited by itself, peakBytes null, dirtiedBytes null: not
// known. Once: the child is watched no longer, so that its descriptor does not wait for the garbage
// collector.
Napi::Value TakeChildExit(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto watch = std::move(info[0].As<Napi::External<WatchedChild>>().Data()->watch);
  const auto status = watch ? watch->status() : std::nullopt;
  if (!status) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("code", Napi::Number::New(env, status->code));
  object.Set("signal", Napi::Number::New(env, status->signal));
  Napi::Value peak_bytes = env.Null();
  Napi::Value dirtied_bytes = env.Null();
  if (const auto exit = watch->exit()) {
    Observation used;
    observe_rusage(exit->usage, used);
    dirtied_bytes = Napi::BigInt::New(env, used.reaped[channel::kIoWrite]);
    if (exit->peak_bytes != 0) peak_bytes = Napi::BigInt::New(env, exit->peak_bytes);
  }
  object.Set("peakBytes", peak_bytes);
  object.Set("dirtiedBytes", dirtied_bytes);
  return object;
}

}  // namespace

void init_children(Napi::Env env, Napi::Object exports) {
  exports.Set("watchChild", Napi::Function::New<WatchChild>(env));
  exports.Set("takeChildExit", Napi::Function::New<TakeChildExit>(env));
}

}  // namespace episcope
