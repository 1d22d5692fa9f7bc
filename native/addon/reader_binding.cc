// CgroupReader and ProcReader for TypeScript. A reader's words land in a BigUint64Array that was
// bound at the open.
#include <cstring>
#include <string>

#include "../core/cgroup_reader.h"
#include "../core/clock.h"
#include "../core/proc_reader.h"
#include "bindings.h"

namespace episcope {
namespace {

template <typename Reader>
struct BoundReader {
  Reader reader;
  Reading reading;
  uint64_t* words = nullptr;
  Napi::Reference<Napi::BigUint64Array> words_owner;

  void bind(Napi::BigUint64Array array) {
    words = array.Data();
    words_owner = Napi::Persistent(array);
  }
  void give() { std::memcpy(words, reading.words, sizeof reading.words); }
};

using BoundCgroup = BoundReader<CgroupReader>;
using BoundProc = BoundReader<ProcReader>;

template <typename Bound>
Bound* unwrap(const Napi::CallbackInfo& info) {
  return info[0].As<Napi::External<Bound>>().Data();
}

// openCgroup(root, path, requireCgroupfs, words) → External, or the failure
Napi::Value OpenCgroup(const Napi::CallbackInfo& info) {
  const std::string root = info[0].As<Napi::String>();
  const std::string path = info[1].As<Napi::String>();
  auto* bound = new BoundCgroup;
  const ReadFailure failure =
      has_nul(root) || has_nul(path)
          ? path_failure()
          : bound->reader.open(root.c_str(), path.c_str(), info[2].As<Napi::Boolean>());
  if (failure) {
    delete bound;
    return failure_object(info.Env(), failure);
  }
  bound->bind(info[3].As<Napi::BigUint64Array>());
  return external(info.Env(), bound);
}

Napi::Value ReadCgroup(const Napi::CallbackInfo& info) {
  auto* bound = unwrap<BoundCgroup>(info);
  bound->reading.clear();
  const uint32_t got = bound->reader.read(info[1].As<Napi::Number>().Uint32Value(), monotonic_ns(),
                                          env_buffer(info.Env()), bound->reading);
  bound->give();
  return Napi::Number::New(info.Env(), got);
}

// openProc(pid, procRoot, tree, reaperPid, words) → External, or the failure
Napi::Value OpenProc(const Napi::CallbackInfo& info) {
  const std::string proc_root = info[1].As<Napi::String>();
  ProcReader::Options options;
  options.pid = info[0].As<Napi::Number>().Int32Value();
  options.proc_root = proc_root.c_str();
  options.tree = info[2].As<Napi::Boolean>();
  options.reaper_pid = info[3].As<Napi::Number>().Int32Value();
  auto* bound = new BoundProc;
  const ReadFailure failure = bound->reader.open(options, env_buffer(info.Env()));
  if (failure) {
    delete bound;
    return failure_object(info.Env(), failure);
  }
  bound->bind(info[4].As<Napi::BigUint64Array>());
  return external(info.Env(), bound);
}

Napi::Value ReadProc(const Napi::CallbackInfo& info) {
  auto* bound = unwrap<BoundProc>(info);
  bound->reading.clear();
  const uint32_t got = bound->reader.read(info[1].As<Napi::Number>().Uint32Value(),
                                          env_buffer(info.Env()), bound->reading);
  bound->give();
  return Napi::Number::New(info.Env(), got);
}

template <typename Bound>
Napi::Value ReaderFailure(const Napi::CallbackInfo& info) {
  const ReadFailure& failure =
      unwrap<Bound>(info)->reader.failure(info[1].As<Napi::Number>().Uint32Value());
  if (!failure) return info.Env().Null();
  return failure_object(info.Env(), failure);
}

template <typename Bound>
void CloseReader(const Napi::CallbackInfo& info) {
  unwrap<Bound>(info)->reader.close();
}

}  // namespace

void init_readers(Napi::Env env, Napi::Object exports) {
  exports.Set("openCgroup", Napi::Function::New<OpenCgroup>(env));
  exports.Set("readCgroup", Napi::Function::New<ReadCgroup>(env));
  exports.Set("cgroupFailure", Napi::Function::New<ReaderFailure<BoundCgroup>>(env));
  exports.Set("closeCgroup", Napi::Function::New<CloseReader<BoundCgroup>>(env));
  exports.Set("openProc", Napi::Function::New<OpenProc>(env));
  exports.Set("readProc", Napi::Function::New<ReadProc>(env));
  exports.Set("procFailure", Napi::Function::New<ReaderFailure<BoundProc>>(env));
  exports.Set("closeProc", Napi::Function::New<CloseReader<BoundProc>>(env));
}

}  // namespace episcope
