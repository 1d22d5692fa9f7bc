// The parsers alone, so that a test can hold them against the TypeScript ones.
#include "../core/parse_any.h"
#include "bindings.h"

namespace episcope {
namespace {

// parse(kind, text) → { values: (bigint | null)[] } | { offset, reason }
Napi::Value Parse(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Uint8Array text = info[1].As<Napi::Uint8Array>();
  const ParseOutcome outcome =
      parse_text(info[0].As<Napi::Number>().Uint32Value(),
                 reinterpret_cast<const char*>(text.Data()), text.ByteLength());
  Napi::Object result = Napi::Object::New(env);
  if (outcome.error) {
    result.Set("offset", Napi::Number::New(env, outcome.error.offset));
    result.Set("reason", Napi::Number::New(env, static_cast<uint32_t>(outcome.error.reason)));
    return result;
  }
  Napi::Array values = Napi::Array::New(env, outcome.count);
  for (uint32_t i = 0; i < outcome.count; i++) {
    if ((outcome.valid >> i & 1) != 0) {
      values.Set(i, Napi::BigInt::New(env, outcome.values[i]));
    } else {
      values.Set(i, env.Null());
    }
  }
  result.Set("values", values);
  return result;
}

}  // namespace

void init_parse(Napi::Env env, Napi::Object exports) {
  exports.Set("parse", Napi::Function::New<Parse>(env));
}

}  // namespace episcope
