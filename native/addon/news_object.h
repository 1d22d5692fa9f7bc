// What a sampled episode reports to its owner, as objects: NativeNews in src/addon/binding.ts.
#pragma once

#include "../core/sampled_episode.h"
#include "errors.h"

namespace episcope {

inline const char* name_of(ExhaustAction action) {
  return kExhaustActionNames[static_cast<uint32_t>(action)];
}

Napi::Object to_object(Napi::Env env, const News& news);

}  // namespace episcope
