// An addon for the differential test only: exports the parsers of native/core, so that the test can
// compare them with those of the JS engine. Arguments are trusted.
#include "../../addon/node_addon_api.h"
#include "../parse_any.h"

namespace episcope {
namespace {

// parse(kind, text) → { ok: true, values: (bigint | null)[] } | { ok: false, offset, reason }
Napi::Value Parse(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Uint8Array text = info[1].As<Napi::Uint8Array>();
  const ParseOutcome outcome =
      parse_text(info[0].As<Napi::Number>().Uint32Value(),
                 reinterpret_cast<const char*>(text.Data()), text.ByteLength());
  Napi::Object result = Napi::Object::New(env);
  result.Set("ok", Napi::Boolean::New(env, !outcome.error));
  if (outcome.error) {
    result.Set("offset", Napi::Number::New(env, outcome.error.offset));
    result.Set("reason", kParseReasonNames[static_cast<uint32_t>(outcome.error.reason)]);
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
}  // namespace episcope

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Napi::Array names = Napi::Array::New(env, episcope::kKernelTextCount);
  for (uint32_t i = 0; i < episcope::kKernelTextCount; i++) {
    names.Set(i, episcope::kKernelTextNames[i]);
  }
  exports.Set("names", names);
  exports.Set("parse", Napi::Function::New<episcope::Parse>(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(parser_door, Init)
