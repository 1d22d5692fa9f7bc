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

Napi::Array warnings_array(Napi::Env env, std::span<const SampleWarning> warnings) {
  Napi::Array list = Napi::Array::New(env, warnings.size());
  for (uint32_t i = 0; i < warnings.size(); i++) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("part", Napi::Number::New(env, warnings[i].part));
    item.Set("failure", failure_object(env, warnings[i].failure));
    list.Set(i, item);
  }
  return list;
}

}  // namespace episcope
