// The border: each part of the addon registers its functions on `exports`. Arguments are trusted;
// the TypeScript facade validates them.
#pragma once

#include <memory>
#include <string>

#include "../core/kept_file.h"
#include "../core/reading.h"
#include "env_state.h"
#include "node_addon_api.h"

namespace episcope {

inline ReadBuffer& env_buffer(Napi::Env env) { return env.GetInstanceData<EnvState>()->buffer; }

/// A C string would end there, and name another file than the caller checked.
inline bool has_nul(const std::string& path) { return path.find('\0') != std::string::npos; }

inline ReadFailure path_failure() {
  ReadFailure failure;
  failure.code = ReadCode::kCgroupPath;
  return failure;
}

/// `data` for TypeScript: freed with its JavaScript value by `finalize(env, data)`. Where the
/// environment is being torn down there is no such value, and it is freed at once.
template <typename T, typename Finalize>
Napi::Value external(Napi::Env env, T* data, Finalize finalize) {
  const auto value = Napi::External<T>::New(env, data, finalize);
  if (value.IsEmpty()) finalize(env, data);
  return value;
}

template <typename T>
Napi::Value external(Napi::Env env, T* data) {
  return external(env, data, [](Napi::Env, T* freed) { delete freed; });
}

void init_actuator(Napi::Env env, Napi::Object exports);
void init_children(Napi::Env env, Napi::Object exports);
void init_claims(Napi::Env env, Napi::Object exports);
void init_directory(Napi::Env env, Napi::Object exports);
void init_episode(Napi::Env env, Napi::Object exports);
void init_events(Napi::Env env, Napi::Object exports);
void init_log(Napi::Env env, Napi::Object exports);
void init_parse(Napi::Env env, Napi::Object exports);
void init_process(Napi::Env env, Napi::Object exports);
void init_readers(Napi::Env env, Napi::Object exports);
void init_ring_reader(Napi::Env env, Napi::Object exports);
void init_sampled_episode(Napi::Env env, Napi::Object exports);

}  // namespace episcope
