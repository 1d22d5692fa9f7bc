// Conversion between C++ and JavaScript values, chosen by the C++ type. Arguments are trusted: the
// TypeScript facade validates them. A value that cannot be read because its worker is being
// terminated is zero or empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "node_addon_api.h"

namespace episcope {

/// The elements of a typed array, valid for the duration of the call.
template <typename T>
struct View {
  using Element = T;
  T* data = nullptr;
  size_t length = 0;
  napi_value array = nullptr;

  size_t bytes() const { return length * sizeof(T); }
};

template <typename T>
inline constexpr bool kIsView = false;
template <typename T>
inline constexpr bool kIsView<View<T>> = true;
template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
inline constexpr bool kIsVector = false;
template <typename T>
inline constexpr bool kIsVector<std::vector<T>> = true;

template <typename T>
T from_js(napi_env env, napi_value value) {
  if constexpr (std::is_same_v<T, Napi::Env>) {
    // The last parameter of a function that needs its environment.
    return Napi::Env(env);
  } else if constexpr (std::is_same_v<T, bool>) {
    bool result = false;
    napi_get_value_bool(env, value, &result);
    return result;
  } else if constexpr (std::is_same_v<T, uint32_t>) {
    uint32_t result = 0;
    napi_get_value_uint32(env, value, &result);
    return result;
  } else if constexpr (std::is_same_v<T, int32_t>) {
    int32_t result = 0;
    napi_get_value_int32(env, value, &result);
    return result;
  } else if constexpr (std::is_same_v<T, double>) {
    double result = 0;
    napi_get_value_double(env, value, &result);
    return result;
  } else if constexpr (std::is_same_v<T, uint64_t>) {
    uint64_t result = 0;
    bool lossless = false;
    napi_get_value_bigint_uint64(env, value, &result, &lossless);
    return result;
  } else if constexpr (std::is_same_v<T, std::string>) {
    size_t size = 0;
    if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok) return {};
    std::string result(size, '\0');
    napi_get_value_string_utf8(env, value, result.data(), size + 1, &size);
    return result;
  } else if constexpr (kIsView<T>) {
    T view;
    void* data = nullptr;
    napi_get_typedarray_info(env, value, nullptr, &view.length, &data, nullptr, nullptr);
    view.data = static_cast<typename T::Element*>(data);
    view.array = value;
    return view;
  } else if constexpr (kIsOptional<T>) {
    napi_valuetype type = napi_null;
    napi_typeof(env, value, &type);
    if (type == napi_null || type == napi_undefined) return std::nullopt;
    return from_js<typename T::value_type>(env, value);
  } else if constexpr (kIsVector<T>) {
    uint32_t length = 0;
    napi_get_array_length(env, value, &length);
    T items;
    for (uint32_t i = 0; i < length; i++) {
      napi_value item = nullptr;
      napi_get_element(env, value, i, &item);
      items.push_back(from_js<typename T::value_type>(env, item));
    }
    return items;
  } else {
    return T(env, value);
  }
}

/// Options by name.
class Options {
 public:
  Options(napi_env env, napi_value object) : env_(env), object_(object) {}

  template <typename T>
  T get(const char* name) const {
    return from_js<T>(env_, value(name));
  }

  /// Returns the enumerator whose name the option holds.
  template <typename Enum, size_t kCount>
  Enum get(const char* name, const char* const (&names)[kCount]) const {
    const std::string text = get<std::string>(name);
    for (uint32_t i = 0; i < kCount; i++) {
      if (text == names[i]) return static_cast<Enum>(i);
    }
    return {};
  }

  /// Returns false once the worker is being terminated: options read before may be incomplete.
  bool is_readable() const {
    napi_value names = nullptr;
    return napi_get_property_names(env_, object_, &names) == napi_ok;
  }

 private:
  napi_value value(const char* name) const {
    napi_value result = nullptr;
    napi_get_named_property(env_, object_, name, &result);
    return result;
  }

  napi_env env_;
  napi_value object_;
};

/// u64 becomes a bigint, any other number a number. `to_object` converts a struct to an object;
/// `name_of` converts an enumerator to its name, or to null if that is empty.
template <typename T>
Napi::Value to_js(Napi::Env env, const T& value) {
  if constexpr (std::is_base_of_v<Napi::Value, T>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    return Napi::Boolean::New(env, value);
  } else if constexpr (std::is_same_v<T, uint64_t>) {
    return Napi::BigInt::New(env, value);
  } else if constexpr (std::is_arithmetic_v<T>) {
    return Napi::Number::New(env, static_cast<double>(value));
  } else if constexpr (std::is_enum_v<T>) {
    const std::string_view name = name_of(value);
    return name.empty() ? env.Null() : to_js(env, name);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    const std::string_view text = value;
    return Napi::String::New(env, text.data(), text.size());
  } else if constexpr (kIsOptional<T>) {
    return value ? to_js(env, *value) : env.Null();
  } else if constexpr (kIsVector<T>) {
    Napi::Array list = Napi::Array::New(env, value.size());
    for (uint32_t i = 0; i < value.size(); i++) list.Set(i, to_js(env, value[i]));
    return list;
  } else {
    return to_object(env, value);
  }
}

inline void set_fields(Napi::Object&) {}

template <typename T, typename... Rest>
void set_fields(Napi::Object& object, const char* name, const T& value, const Rest&... rest) {
  object.Set(name, to_js(object.Env(), value));
  set_fields(object, rest...);
}

/// `{ name: value, … }`
template <typename... Fields>
Napi::Object object_of(Napi::Env env, const Fields&... fields) {
  Napi::Object object = Napi::Object::New(env);
  set_fields(object, fields...);
  return object;
}

}  // namespace episcope
