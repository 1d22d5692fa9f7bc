// Exposes the subjects to JavaScript. Their loads and stores go through the functions passed to
// `connect`.
#include <napi.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "subject.h"

namespace episcope_machine {
namespace {

struct Named {
  std::string name;
  Subject* subject;
};

// Filled before main by the subjects' files, in no particular order.
std::vector<Named>& subjects() {
  static std::vector<Named> all;
  return all;
}

// One machine and one ring at a time, all on the main thread.
Napi::FunctionReference on_load;
Napi::FunctionReference on_store;
Napi::FunctionReference on_fence;
const uint32_t* ring_memory = nullptr;

Napi::Number cell_of(Napi::Env env, const void* at) {
  return Napi::Number::New(env,
                           static_cast<double>(static_cast<const uint32_t*>(at) - ring_memory));
}
Napi::Number order_of(Napi::Env env, std::memory_order order) {
  return Napi::Number::New(env, static_cast<double>(order));
}

Subject* subject_of(const Napi::CallbackInfo& info) {
  const uint32_t index = info[0].As<Napi::Number>();
  return subjects()[index].subject;
}

// connect(load, store, fence)
void connect(const Napi::CallbackInfo& info) {
  on_load = Napi::Persistent(info[0].As<Napi::Function>());
  on_store = Napi::Persistent(info[1].As<Napi::Function>());
  on_fence = Napi::Persistent(info[2].As<Napi::Function>());
}

// names() → string[]: a subject is given by its index
Napi::Value names(const Napi::CallbackInfo& info) {
  auto all = Napi::Array::New(info.Env());
  for (const Named& named : subjects()) {
    all.Set(all.Length(), Napi::String::New(info.Env(), named.name));
  }
  return all;
}

// publish(subject, ring: Uint32Array, frames) → boolean
Napi::Value publish(const Napi::CallbackInfo& info) {
  auto ring = info[1].As<Napi::Uint32Array>();
  ring_memory = ring.Data();
  const uint32_t frames = info[2].As<Napi::Number>();
  return Napi::Boolean::New(info.Env(),
                            subject_of(info)->publish(ring.Data(), ring.ByteLength(), frames));
}

// bind(subject, ring: Uint32Array) → boolean
Napi::Value bind(const Napi::CallbackInfo& info) {
  auto ring = info[1].As<Napi::Uint32Array>();
  ring_memory = ring.Data();
  return Napi::Boolean::New(info.Env(), subject_of(info)->bind(ring.Data(), ring.ByteLength()));
}

// read(subject, out: Uint32Array, max) → number
Napi::Value read(const Napi::CallbackInfo& info) {
  const uint32_t max = info[2].As<Napi::Number>();
  const size_t copied = subject_of(info)->read(info[1].As<Napi::Uint32Array>().Data(), max);
  return Napi::Number::New(info.Env(), static_cast<double>(copied));
}

// latest(subject, out: Uint32Array) → boolean
Napi::Value latest(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(),
                            subject_of(info)->latest(info[1].As<Napi::Uint32Array>().Data()));
}

Napi::Value missed(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(subject_of(info)->missed()));
}

Napi::Value corrupt(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), subject_of(info)->corrupt());
}

Napi::Value ended(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), subject_of(info)->ended());
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("connect", Napi::Function::New(env, connect));
  exports.Set("names", Napi::Function::New(env, names));
  exports.Set("publish", Napi::Function::New(env, publish));
  exports.Set("bind", Napi::Function::New(env, bind));
  exports.Set("read", Napi::Function::New(env, read));
  exports.Set("latest", Napi::Function::New(env, latest));
  exports.Set("missed", Napi::Function::New(env, missed));
  exports.Set("corrupt", Napi::Function::New(env, corrupt));
  exports.Set("ended", Napi::Function::New(env, ended));
  return exports;
}

}  // namespace

uint32_t load(const void* at, std::memory_order order) {
  const Napi::Env env = on_load.Env();
  return on_load.Call({cell_of(env, at), order_of(env, order)}).As<Napi::Number>();
}

void store(const void* at, uint32_t value, std::memory_order order) {
  const Napi::Env env = on_store.Env();
  on_store.Call({cell_of(env, at), Napi::Number::New(env, value), order_of(env, order)});
}

void fence(std::memory_order order) { on_fence.Call({order_of(on_fence.Env(), order)}); }

Registered::Registered(const char* name, Subject* subject) {
  subjects().push_back({name, subject});
}

NODE_API_MODULE(episcope_machine, init)

}  // namespace episcope_machine
