#include "bindings.h"

namespace episcope {

Napi::Object failure_object(Napi::Env env, const ReadFailure& failure) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("code", Napi::Number::New(env, static_cast<uint32_t>(failure.code)));
  object.Set("reason", Napi::Number::New(env, static_cast<uint32_t>(failure.reason)));
  object.Set("errno", Napi::Number::New(env, failure.error_number));
  object.Set("file", Napi::String::New(env, failure.file));
  object.Set("pid", Napi::Number::New(env, failure.pid));
  object.Set("offset", Napi::Number::New(env, failure.offset));
  return object;
}

}  // namespace episcope
