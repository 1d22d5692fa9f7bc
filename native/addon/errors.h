// What the addon throws: an Error with a stable `code` and what else is known, from which
// TypeScript makes the public error.
#pragma once

#include "../core/failure_log.h"
#include "../core/reading.h"
#include "js_values.h"

namespace episcope {

inline const char* name_of(ReadCode code) { return kReadCodeNames[static_cast<uint32_t>(code)]; }
inline const char* name_of(ParseReason reason) {
  return kParseReasonNames[static_cast<uint32_t>(reason)];
}

/// `NativeFailure` in src/addon/binding.ts.
Napi::Object to_object(Napi::Env env, const ReadFailure& failure);
Napi::Object to_object(Napi::Env env, const SampleWarning& warning);

void throw_failure(Napi::Env env, const ReadFailure& failure);

/// `code` is one of the public error codes; `error_number` 0: none.
void throw_refusal(Napi::Env env, const char* code, int error_number = 0);

}  // namespace episcope
