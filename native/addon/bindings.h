// The boundary to JavaScript: each part of the addon registers its functions on `exports`.
// Arguments are trusted; the TypeScript facade validates them.
#pragma once

#include <memory>
#include <string>

#include "../core/kept_file.h"
#include "../core/reading.h"
#include "env_state.h"
#include "node_addon_api.h"

namespace episcope {

inline ReadBuffer& env_buffer(Napi::Env env) { return env.GetInstanceData<EnvState>()->buffer; }

/// A C string ends at the NUL, and would name a file other than the one that the caller checked.
inline bool has_nul(const std::string& path) { return path.find('\0') != std::string::npos; }

inline ReadFailure path_failure() { return {.code = ReadCode::kCgroupPath}; }

void init_actuator(Napi::Env env, Napi::Object exports);
void init_child_watch(Napi::Env env, Napi::Object exports);
void init_claims(Napi::Env env, Napi::Object exports);
void init_directories(Napi::Env env, Napi::Object exports);
void init_episode(Napi::Env env, Napi::Object exports);
void init_event_log(Napi::Env env, Napi::Object exports);
void init_process_control(Napi::Env env, Napi::Object exports);
void init_readers(Napi::Env env, Napi::Object exports);
void init_ring_reader(Napi::Env env, Napi::Object exports);
void init_sampled_episode(Napi::Env env, Napi::Object exports);

}  // namespace episcope
