#include "errors.h"

namespace episcope {
namespace {

void set_failure(Napi::Object object, const ReadFailure& failure) {
  const bool was_parsed =
      failure.code == ReadCode::kCgroupParse || failure.code == ReadCode::kProcParse;
  set_fields(object, "code", failure.code, "errno", unless_zero(failure.error_number), "file",
             failure.file, "pid", unless_zero(failure.pid), "offset",
             was_parsed ? std::optional(failure.offset) : std::nullopt, "reason", failure.reason);
}

}  // namespace

Napi::Object to_object(Napi::Env env, const ReadFailure& failure) {
  Napi::Object object = Napi::Object::New(env);
  set_failure(object, failure);
  return object;
}

Napi::Object to_object(Napi::Env env, const SampleWarning& warning) {
  return object_of(env, "part", warning.part, "failure", warning.failure);
}

void throw_failure(Napi::Env env, const ReadFailure& failure) {
  const Napi::Error error = Napi::Error::New(env, name_of(failure.code));
  set_failure(error.Value(), failure);
  error.ThrowAsJavaScriptException();
}

void throw_refusal(Napi::Env env, const char* code, int error_number) {
  const Napi::Error error = Napi::Error::New(env, code);
  Napi::Object object = error.Value();
  set_fields(object, "code", code, "errno", unless_zero(error_number));
  error.ThrowAsJavaScriptException();
}

}  // namespace episcope
