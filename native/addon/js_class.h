// A JavaScript class over a C++ class whose methods take and return plain C++ values (js_values.h).
//
// Napi::ObjectWrap is not used because its methods cost 54 ns a call where a function costs 24:
// they look up the instance in a private property of `this`. A hot method here is a function of its
// own for each instance, which has the pointer at hand: 16 ns.
#pragma once

#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>

#include "js_values.h"

namespace episcope {

/// A method that is bound to its instance: calls are fast, the instance is slower to make.
struct HotMethod {
  const char* name;
  napi_callback call;
};

/// `T` has `static std::unique_ptr<T> open(…)`, the constructor, which returns nullptr where it has
/// thrown. An instance lives as long as its JavaScript object.
template <typename T>
class JsClass {
 public:
  template <auto kMethod>
  static napi_property_descriptor method(const char* name) {
    return {name, nullptr, call<kMethod>, nullptr, nullptr, nullptr, napi_default, nullptr};
  }

  template <auto kMethod>
  static constexpr HotMethod hot(const char* name) {
    return {name, call_hot<kMethod>};
  }

  static void define(Napi::Env env, Napi::Object exports, const char* name,
                     std::initializer_list<napi_property_descriptor> methods) {
    define(env, exports, name, methods, construct<0>, nullptr);
  }

  /// `hot` is static.
  template <size_t kHot>
  static void define(Napi::Env env, Napi::Object exports, const char* name,
                     std::initializer_list<napi_property_descriptor> methods,
                     const HotMethod (&hot)[kHot]) {
    define(env, exports, name, methods, construct<kHot>, const_cast<HotMethod*>(hot));
  }

 private:
  template <typename>
  struct Signature;
  template <typename Result, typename... Arguments>
  struct Signature<Result (*)(Arguments...)> {
    static constexpr size_t kCount = sizeof...(Arguments);
    template <size_t... kIndex>
    static Result call(Result (*function)(Arguments...), [[maybe_unused]] napi_env env,
                       [[maybe_unused]] napi_value* values, std::index_sequence<kIndex...>) {
      return function(from_js<std::remove_cvref_t<Arguments>>(env, values[kIndex])...);
    }
  };
  template <typename Result, typename Self, typename... Arguments>
  struct Signature<Result (Self::*)(Arguments...)> {
    using Type = Result;
    static constexpr size_t kCount = sizeof...(Arguments);
    template <size_t... kIndex>
    static Result call(Result (Self::*function)(Arguments...), Self& self,
                       [[maybe_unused]] napi_env env, [[maybe_unused]] napi_value* values,
                       std::index_sequence<kIndex...>) {
      return (self.*function)(from_js<std::remove_cvref_t<Arguments>>(env, values[kIndex])...);
    }
  };

  template <auto kMethod>
  static napi_value invoke(T& self, napi_env env, napi_value* values) {
    using Of = Signature<decltype(kMethod)>;
    constexpr auto kIndices = std::make_index_sequence<Of::kCount>();
    if constexpr (std::is_void_v<typename Of::Type>) {
      Of::call(kMethod, self, env, values, kIndices);
      return nullptr;
    } else {
      return to_js(Napi::Env(env), Of::call(kMethod, self, env, values, kIndices));
    }
  }

  template <auto kMethod>
  static napi_value call(napi_env env, napi_callback_info info) {
    constexpr size_t kCount = Signature<decltype(kMethod)>::kCount;
    napi_value values[kCount + 1] = {};
    size_t count = kCount;
    napi_value self = nullptr;
    void* instance = nullptr;
    napi_get_cb_info(env, info, &count, values, &self, nullptr);
    // Fails where the worker is being terminated.
    if (napi_unwrap(env, self, &instance) != napi_ok) return nullptr;
    return invoke<kMethod>(*static_cast<T*>(instance), env, values);
  }

  template <auto kMethod>
  static napi_value call_hot(napi_env env, napi_callback_info info) {
    constexpr size_t kCount = Signature<decltype(kMethod)>::kCount;
    napi_value values[kCount + 1] = {};
    size_t count = kCount;
    void* instance = nullptr;
    napi_get_cb_info(env, info, &count, values, nullptr, &instance);
    return invoke<kMethod>(*static_cast<T*>(instance), env, values);
  }

  static void define(Napi::Env env, Napi::Object exports, const char* name,
                     std::initializer_list<napi_property_descriptor> methods,
                     napi_callback constructor, HotMethod* hot) {
    napi_value defined = nullptr;
    // A failure is a pending exception: the load of the addon fails with it.
    if (napi_define_class(env, name, NAPI_AUTO_LENGTH, constructor, hot, methods.size(),
                          methods.begin(), &defined) == napi_ok) {
      exports.Set(name, Napi::Value(env, defined));
    }
  }

  template <size_t kHot>
  static napi_value construct(napi_env env, napi_callback_info info) {
    using Of = Signature<decltype(&T::open)>;
    napi_value values[Of::kCount + 1] = {};
    size_t count = Of::kCount;
    napi_value self = nullptr;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values, &self, &data);
    std::unique_ptr<T> instance =
        Of::call(&T::open, env, values, std::make_index_sequence<Of::kCount>());
    if (instance == nullptr) return nullptr;
    const auto finalize = [](napi_env, void* freed, void*) { delete static_cast<T*>(freed); };
    // Fails where the worker is being terminated: the instance is freed at once then.
    if (napi_wrap(env, self, instance.get(), finalize, nullptr, nullptr) != napi_ok) return nullptr;
    T* owned = instance.release();
    for (size_t i = 0; i < kHot; i++) bind(env, self, owned, static_cast<HotMethod*>(data)[i]);
    return self;
  }

  static void bind(napi_env env, napi_value self, T* instance, const HotMethod& hot) {
    napi_value function = nullptr;
    napi_create_function(env, hot.name, NAPI_AUTO_LENGTH, hot.call, instance, &function);
    // Whoever keeps the function alone keeps the instance with it.
    const napi_property_descriptor owner{"owner", nullptr, nullptr,      nullptr,
                                         nullptr, self,    napi_default, nullptr};
    napi_define_properties(env, function, 1, &owner);
    const napi_property_descriptor method{hot.name, nullptr,  nullptr,      nullptr,
                                          nullptr,  function, napi_default, nullptr};
    napi_define_properties(env, self, 1, &method);
  }
};

}  // namespace episcope
