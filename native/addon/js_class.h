// A JavaScript class over a C++ class whose methods take and return plain C++ values.
//
// Napi::ObjectWrap is not used because its methods cost 54 ns a call, and a function 24:
// they look up the instance in a private property of `this`. A method here is a function of its
// own for each instance and holds the pointer: 16 ns.
#pragma once

#include <memory>

#include "js_call.h"

namespace episcope {

struct JsMethod {
  const char* name;
  napi_callback call;
};

/// `T` has `static std::unique_ptr<T> open(…)`, the constructor, which returns nullptr if it has
/// thrown. An instance lives as long as its JavaScript object.
template <typename T>
class JsClass {
 public:
  template <auto kMethod>
  static constexpr JsMethod method(const char* name) {
    return {name, call<kMethod>};
  }

  /// `methods` must have static lifetime.
  template <size_t kCount>
  static void define(Napi::Env env, Napi::Object exports, const char* name,
                     const JsMethod (&methods)[kCount]) {
    napi_value defined = nullptr;
    // A failure leaves an exception pending, with which loading the addon fails.
    if (napi_define_class(env, name, NAPI_AUTO_LENGTH, construct<kCount>,
                          const_cast<JsMethod*>(methods), 0, nullptr, &defined) == napi_ok) {
      exports.Set(name, Napi::Value(env, defined));
    }
  }

 private:
  template <auto kMethod>
  static napi_value call(napi_env env, napi_callback_info info) {
    constexpr size_t kCount = Signature<decltype(kMethod)>::kCount;
    napi_value values[kCount + 1] = {};
    size_t count = kCount;
    void* instance = nullptr;
    napi_get_cb_info(env, info, &count, values, nullptr, &instance);
    const auto bound = [instance](auto&&... arguments) {
      return (static_cast<T*>(instance)->*kMethod)(std::move(arguments)...);
    };
    return call_from_js<kMethod>(bound, env, values);
  }

  template <size_t kMethods>
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
    // Fails if the worker is being terminated: the instance is then freed at once.
    if (napi_wrap(env, self, instance.get(), finalize, nullptr, nullptr) != napi_ok) return nullptr;
    T* owned = instance.release();
    for (size_t i = 0; i < kMethods; i++) bind(env, self, owned, static_cast<JsMethod*>(data)[i]);
    return self;
  }

  static void bind(napi_env env, napi_value self, T* instance, const JsMethod& method) {
    napi_value bound = nullptr;
    napi_create_function(env, method.name, NAPI_AUTO_LENGTH, method.call, instance, &bound);
    // A reference to the function alone keeps the instance alive too.
    const napi_property_descriptor owner{"owner", nullptr, nullptr,      nullptr,
                                         nullptr, self,    napi_default, nullptr};
    napi_define_properties(env, bound, 1, &owner);
    const napi_property_descriptor property{method.name, nullptr, nullptr,      nullptr,
                                            nullptr,     bound,   napi_default, nullptr};
    napi_define_properties(env, self, 1, &property);
  }
};

}  // namespace episcope
