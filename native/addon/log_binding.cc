// The reviewer log's writer for TypeScript. At the end of an append the listener of its id is
// called, which takes the result with takeActionResult.
#include <memory>
#include <string>
#include <utility>

#include "../core/log_committer.h"
#include "bindings.h"

namespace episcope {
namespace {

using Committer = std::shared_ptr<LogCommitter>;

// openLog(path, lockPath) → the process's log at these paths. Opens nothing yet.
Napi::Value OpenLog(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>();
  const std::string lock_path = info[1].As<Napi::String>();
  return external(info.Env(), new Committer(LogCommitter::at(path, lock_path)));
}

// appendToLog(log, text, rotateBytes, id) → 0, or the errno that kept the thread from starting
Napi::Value AppendToLog(const Napi::CallbackInfo& info) {
  const Committer& committer = *info[0].As<Napi::External<Committer>>().Data();
  LogAppend append;
  append.text = info[1].As<Napi::String>();
  append.rotate_bytes = static_cast<uint64_t>(info[2].As<Napi::Number>().DoubleValue());
  append.id = info[3].As<Napi::Number>();
  append.listener = info.Env().GetInstanceData<EnvState>()->events;
  return Napi::Number::New(info.Env(), committer->append(std::move(append)));
}

// cancelAppend(log, id) → a LogCancel
Napi::Value CancelAppend(const Napi::CallbackInfo& info) {
  const Committer& committer = *info[0].As<Napi::External<Committer>>().Data();
  const uint32_t id = info[1].As<Napi::Number>();
  const EnvEvents& listener = *info.Env().GetInstanceData<EnvState>()->events;
  return Napi::Number::New(info.Env(), static_cast<uint32_t>(committer->cancel(listener, id)));
}

}  // namespace

void init_log(Napi::Env env, Napi::Object exports) {
  exports.Set("openLog", Napi::Function::New<OpenLog>(env));
  exports.Set("appendToLog", Napi::Function::New<AppendToLog>(env));
  exports.Set("cancelAppend", Napi::Function::New<CancelAppend>(env));
}

}  // namespace episcope
