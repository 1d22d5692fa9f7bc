// Actuator for TypeScript: performs actions on cgroups that may stall in the kernel on a thread of
// its own, one for the process.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "../core/actuator.h"
#include "../core/clock.h"
#include "../core/limits.h"
#include "bindings.h"
#include "errors.h"
#include "js_class.h"
#include "shared_thread.h"

namespace episcope {
namespace {

/// Called once, with null or the errno. The environment's loop stays alive until then.
class DoneListener final : public EnvListener {
 public:
  explicit DoneListener(Napi::Function function) : EnvListener(function, true) {}
  Napi::Value take(Napi::Env env, uint32_t id, bool& is_last) override {
    is_last = true;
    EnvEvents& events = *env.GetInstanceData<EnvState>()->events;
    return to_js(env, unless_zero(events.take_result<int>(id)));
  }
};

class ActuatorObject {
 public:
  static std::unique_ptr<ActuatorObject> open() { return std::make_unique<ActuatorObject>(); }

  void write(std::string directory, std::string file, std::string text, Napi::Function on_done,
             Napi::Env env) {
    start({.directory = directory, .file = file, .text = text}, on_done, env);
  }

  void remove_directory(std::string directory, Napi::Function on_done, Napi::Env env) {
    start({.directory = directory}, on_done, env);
  }

 private:
  static void start(Action action, Napi::Function on_done, Napi::Env env) {
    if (!EnvEvents::open(env)) return;
    EnvState& state = *env.GetInstanceData<EnvState>();
    action.id = state.events->add(env, std::make_shared<DoneListener>(on_done));
    action.listener = state.events;
    int error = 0;
    Actuator* actuator = env_actuator(state, error);
    if (actuator == nullptr) {
      state.events->action_done(action.id, error);
    } else {
      actuator->add(std::move(action));
    }
  }
};

}  // namespace

Actuator* env_actuator(EnvState& state, int& error_number) {
  if (state.actuator == nullptr)
    state.actuator = SharedThread<Actuator>::instance().acquire(error_number);
  return state.actuator;
}

void end_actions(EnvState& state, uint64_t deadline_ns) {
  if (state.actuator == nullptr) return;
  state.actuator = nullptr;
  SharedThread<Actuator>::instance().release(saturating_sub(deadline_ns, monotonic_ns()));
}

void init_actuator(Napi::Env env, Napi::Object exports) {
  using Class = JsClass<ActuatorObject>;
  static constexpr JsMethod kMethods[] = {
      Class::method<&ActuatorObject::write>("write"),
      Class::method<&ActuatorObject::remove_directory>("removeDirectory"),
  };
  Class::define(env, exports, "Actuator", kMethods);
}

}  // namespace episcope
