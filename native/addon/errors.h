// What the addon throws: an Error with a stable `code` and further details, which TypeScript turns
// into the public error.
#pragma once

#include <errno.h>

#include <optional>

#include "../core/failure_log.h"
#include "../core/reading.h"
#include "js_values.h"

namespace episcope {

template <typename T>
std::optional<T> unless_zero(T value) {
  return value == 0 ? std::nullopt : std::optional<T>(value);
}

/// `{ fd, errno: null }`, or `{ fd: null, errno }`.
struct Opened {
  std::optional<int> fd;
  std::optional<int> error_number;

  /// `fd` is the result of a call that returns a negative number and sets errno if it fails.
  static Opened from(int fd) { return fd < 0 ? Opened{{}, errno} : Opened{fd, {}}; }
};

inline Napi::Object to_object(Napi::Env env, const Opened& opened) {
  return object_of(env, "fd", opened.fd, "errno", opened.error_number);
}

inline const char* name_of(ReadCode code) { return kReadCodeNames[static_cast<uint32_t>(code)]; }
inline const char* name_of(ParseReason reason) {
  return kParseReasonNames[static_cast<uint32_t>(reason)];
}

/// `NativeFailure` in src/addon/binding.ts.
Napi::Object to_object(Napi::Env env, const ReadFailure& failure);
Napi::Object to_object(Napi::Env env, const SampleWarning& warning);

void throw_failure(Napi::Env env, const ReadFailure& failure);

/// `code` is one of the public error codes; `error_number` is 0 if there is no errno.
void throw_refusal(Napi::Env env, const char* code, int error_number = 0);

}  // namespace episcope
