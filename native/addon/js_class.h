// A JavaScript class over a C++ class whose methods take and return plain C++ values.
//
// Napi::ObjectWrap is not used because its methods cost 54 ns a call where a function costs 24:
// they look up the instance in a private property of `this`. A hot method here is a function of its
// own for each instance, which has the pointer at hand: 16 ns.
#pragma once

#include <initializer_list>
#include <memory>

#include "js_call.h"

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
    return {name, nullptr, call<kMethod>, nullptr, nullptr, nullptr, napi_default_method, nullptr};
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

  template <auto kMethod>
  static napi_value invoke(void* instance, napi_env env, napi_value* values) {
    const auto bound = [instance](auto&&... arguments) {
      return (static_cast<T*>(instance)->*kMethod)(std::move(arguments)...);
    };
    return call_from_js<kMethod>(bound, env, values);
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
    return invoke<kMethod>(instance, env, values);
  }

  template <auto kMethod>
  static napi_value call_hot(napi_env env, napi_callback_info info) {
    constexpr size_t kCount = Signature<decltype(kMethod)>::kCount;
    napi_value values[kCount + 1] = {};
    size_t count = kCount;
    void* instance = nullptr;
    napi_get_cb_info(env, info, &count, values, nullptr, &instance);
    return invoke<kMethod>(instance, env, values);
  }

  template <size_t kHot>
  static napi_value construct(napi_env env, napi_callback_info info) {
    constexpr size_t kCount = Signature<decltype(&T::open)>::kCount;
    napi_value values[kCount + 1] = {};
    size_t count = kCount;
    napi_value self = nullptr;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values, &self, &data);
    std::unique_ptr<T> instance = call_with<&T::open>(&T::open, env, values);
    if (instance == nullptr) return nullptr;
    const auto finalize = [](napi_env, void* freed, void*) { delete static_cast<T*>(freed); };
    // Fails where the worker is being terminated: the instance is freed at once then.
    if (napi_wrap(env, self, instance.get(), finalize, nullptr, nullptr) != napi_ok) return nullptr;
    T* owned = instance.release();
    for (size_t i = 0; i < kHot; i++) bind(env, self, owned, static_cast<HotMethod*>(data)[i]);
    return self;
  }

  static void bind(napi_env env, napi_value self, T* instance, const HotMethod& hot) {
    napi_value bound = nullptr;
    napi_create_function(env, hot.name, NAPI_AUTO_LENGTH, hot.call, instance, &bound);
    // Whoever keeps the function alone keeps the instance with it.
    const napi_property_descriptor owner{"owner", nullptr, nullptr,      nullptr,
                                         nullptr, self,    napi_default, nullptr};
    napi_define_properties(env, bound, 1, &owner);
    const napi_property_descriptor method{hot.name, nullptr, nullptr,      nullptr,
                                          nullptr,  bound,   napi_default, nullptr};
    napi_define_properties(env, self, 1, &method);
  }
};

}  // namespace episcope
