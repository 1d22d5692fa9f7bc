// ChildWatch for TypeScript: reports how a child of this process ended. Node does not report
// real-time signals.
#include <memory>
#include <optional>
#include <utility>

#include "../core/child_watch.h"
#include "../core/process_figures.h"
#include "bindings.h"
#include "errors.h"
#include "js_class.h"

namespace episcope {
namespace {

class ChildWatchObject {
 public:
  static std::unique_ptr<ChildWatchObject> open(int32_t pid, Napi::Env env) {
    auto object = std::make_unique<ChildWatchObject>();
    object->watch_ = env.GetInstanceData<EnvState>()->children.watch(env, pid);
    return object;
  }

  bool is_watching() { return watch_ != nullptr; }

  /// Also ends the watch, so that its descriptor is closed before garbage collection.
  Napi::Value take_exit(Napi::Env env) {
    const auto watch = std::move(watch_);
    const auto status = watch ? watch->status() : std::nullopt;
    if (!status) return env.Null();
    std::optional<uint64_t> peak_bytes;
    std::optional<uint64_t> dirtied_bytes;
    if (const auto exit = watch->exit()) {
      Observation used;
      observe_rusage(exit->usage, used);
      dirtied_bytes = used.reaped[channel::kIoWrite];
      peak_bytes = unless_zero(exit->peak_bytes);
    }
    return object_of(env, "code", status->code, "signal", status->signal, "peakBytes", peak_bytes,
                     "dirtiedBytes", dirtied_bytes);
  }

 private:
  std::shared_ptr<ChildWatch> watch_;
};

}  // namespace

void init_child_watch(Napi::Env env, Napi::Object exports) {
  using Class = JsClass<ChildWatchObject>;
  static constexpr JsMethod kMethods[] = {
      Class::method<&ChildWatchObject::is_watching>("isWatching"),
      Class::method<&ChildWatchObject::take_exit>("takeExit"),
  };
  Class::define(env, exports, "ChildWatch", kMethods);
}

}  // namespace episcope
