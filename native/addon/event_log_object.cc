// EventLog for TypeScript: the writer of the reviewer log.
#include <memory>
#include <string>
#include <utility>

#include "../core/log_committer.h"
#include "bindings.h"
#include "errors.h"
#include "js_class.h"

namespace episcope {

const char* name_of(LogFault fault) { return kLogFaultNames[static_cast<uint32_t>(fault)]; }
const char* name_of(LogFile file) { return kLogFileNames[static_cast<uint32_t>(file)]; }
const char* name_of(LogCancel cancel) { return kLogCancelNames[static_cast<uint32_t>(cancel)]; }

Napi::Object to_object(Napi::Env env, const LogFailure& failure) {
  return object_of(env, "fault", failure.fault, "file", failure.file, "errno",
                   unless_zero(failure.error_number));
}

namespace {

/// Called once, with null or the failure. The environment's loop stays alive until then.
class AppendListener final : public EnvListener {
 public:
  explicit AppendListener(Napi::Function function) : EnvListener(function, true) {}
  Napi::Value take(Napi::Env env, uint32_t id, bool& is_last) override {
    is_last = true;
    EnvEvents& events = *env.GetInstanceData<EnvState>()->events;
    const auto failure = events.take_result<LogFailure>(id);
    return failure ? to_object(env, failure) : env.Null();
  }
};

class EventLogObject {
 public:
  /// Returns the process's log at these paths. Opens no file yet.
  static std::unique_ptr<EventLogObject> open(Options options) {
    auto object = std::make_unique<EventLogObject>();
    object->committer_ =
        LogCommitter::at(options.get<std::string>("path"), options.get<std::string>("lockPath"));
    return object;
  }

  uint32_t append(std::string text, double rotate_bytes, Napi::Function on_end, Napi::Env env) {
    if (!EnvEvents::open(env)) return 0;
    const auto& events = env.GetInstanceData<EnvState>()->events;
    LogAppend append;
    append.text = std::move(text);
    append.rotate_bytes = static_cast<uint64_t>(rotate_bytes);
    const uint32_t id = events->add(env, std::make_shared<AppendListener>(on_end));
    append.id = id;
    append.listener = events;
    const int error = committer_->append(std::move(append));
    if (error != 0) events->append_done(id, {LogFault::kErrno, LogFile::kEvents, error});
    return id;
  }

  LogCancel cancel(uint32_t id, Napi::Env env) {
    EnvEvents& events = *env.GetInstanceData<EnvState>()->events;
    const LogCancel cancelled = committer_->cancel(events, id);
    if (cancelled != LogCancel::kTooLate) events.remove(env, id);
    return cancelled;
  }

 private:
  std::shared_ptr<LogCommitter> committer_;
};

}  // namespace

void init_event_log(Napi::Env env, Napi::Object exports) {
  using Class = JsClass<EventLogObject>;
  static constexpr JsMethod kMethods[] = {
      Class::method<&EventLogObject::append>("append"),
      Class::method<&EventLogObject::cancel>("cancel"),
  };
  Class::define(env, exports, "EventLog", kMethods);
}

}  // namespace episcope
