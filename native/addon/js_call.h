// Calls C++ functions and methods from JavaScript, converting arguments and results by their types.
// A last parameter of type Napi::Env receives the environment.
#pragma once

#include <initializer_list>
#include <type_traits>
#include <utility>

#include "js_values.h"

namespace episcope {

template <typename>
struct Signature;

template <typename Returned, typename... Arguments>
struct Signature<Returned (*)(Arguments...)> {
  using Result = Returned;
  static constexpr size_t kCount = sizeof...(Arguments);
  template <typename Function, size_t... kIndex>
  static Result call(Function&& function, [[maybe_unused]] napi_env env,
                     [[maybe_unused]] napi_value* values, std::index_sequence<kIndex...>) {
    return function(from_js<std::remove_cvref_t<Arguments>>(env, values[kIndex])...);
  }
};

template <typename Returned, typename Self, typename... Arguments>
struct Signature<Returned (Self::*)(Arguments...)> : Signature<Returned (*)(Arguments...)> {};

/// Calls `function`, whose signature is that of `kFunction`.
template <auto kFunction, typename Function>
auto call_with(Function&& function, napi_env env, napi_value* values) {
  using Of = Signature<decltype(kFunction)>;
  return Of::call(function, env, values, std::make_index_sequence<Of::kCount>());
}

/// The same, with the result as a JavaScript value.
template <auto kFunction, typename Function>
napi_value call_from_js(Function&& function, napi_env env, napi_value* values) {
  if constexpr (std::is_void_v<typename Signature<decltype(kFunction)>::Result>) {
    call_with<kFunction>(function, env, values);
    return nullptr;
  } else {
    return to_js(Napi::Env(env), call_with<kFunction>(function, env, values));
  }
}

template <auto kFunction>
napi_value call_function(napi_env env, napi_callback_info info) {
  constexpr size_t kCount = Signature<decltype(kFunction)>::kCount;
  napi_value values[kCount + 1] = {};
  size_t count = kCount;
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  return call_from_js<kFunction>(kFunction, env, values);
}

template <auto kFunction>
napi_property_descriptor function(const char* name) {
  return {name,    nullptr, call_function<kFunction>, nullptr,
          nullptr, nullptr, napi_default_method,      nullptr};
}

/// Defines an object of functions that share no state.
inline void define_functions(Napi::Env env, Napi::Object exports, const char* name,
                             std::initializer_list<napi_property_descriptor> functions) {
  Napi::Object object = Napi::Object::New(env);
  napi_define_properties(env, object, functions.size(), functions.begin());
  exports.Set(name, object);
}

}  // namespace episcope
