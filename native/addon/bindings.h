// The border: each part of the addon registers its functions on `exports`. Arguments are trusted;
// the TypeScript facade validates them.
#pragma once

#include <napi.h>

#include <string>

#include "../core/kept_file.h"
#include "../core/reading.h"

namespace episcope {

/// State of one JavaScript environment (main thread or worker).
struct EnvState {
  ReadBuffer buffer;
};

inline ReadBuffer& env_buffer(Napi::Env env) { return env.GetInstanceData<EnvState>()->buffer; }

/// A C string would end there, and name another file than the caller checked.
inline bool has_nul(const std::string& path) { return path.find('\0') != std::string::npos; }

inline ReadFailure path_failure() {
  ReadFailure failure;
  failure.code = ReadCode::kCgroupPath;
  return failure;
}

/// The failure as TypeScript takes it: `{ code, reason, errno, file, pid, offset }`, all but `file`
/// numbers.
Napi::Object failure_object(Napi::Env env, const ReadFailure& failure);

void init_readers(Napi::Env env, Napi::Object exports);
void init_episode(Napi::Env env, Napi::Object exports);
void init_parse(Napi::Env env, Napi::Object exports);
void init_process(Napi::Env env, Napi::Object exports);

}  // namespace episcope
