// CgroupReader and ProcReader for TypeScript. The words of a reading are written to a
// BigUint64Array that is bound when the reader is opened.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "../core/cgroup_reader.h"
#include "../core/clock.h"
#include "../core/proc_reader.h"
#include "bindings.h"
#include "errors.h"
#include "js_class.h"

namespace episcope {
namespace {

template <typename Reader>
class ReaderObject {
 public:
  explicit ReaderObject(Napi::Env env) : env_(env), buffer_(env_buffer(env)) {}

  void bind(const View<uint64_t>& words) {
    words_ = words;
    words_owner_ = Napi::Persistent(Napi::Object(env_, words.array));
  }

  std::optional<ReadFailure> failure(uint32_t part) {
    const ReadFailure& failure = reader_.failure(part);
    return failure ? std::optional(failure) : std::nullopt;
  }

  void close() { reader_.close(); }

 protected:
  uint32_t give(uint32_t got) {
    const size_t bytes = std::min(words_.bytes(), sizeof reading_.words);
    std::memcpy(words_.data, reading_.words, bytes);
    return got;
  }

  Reader reader_;
  Reading reading_;
  Napi::Env env_;
  ReadBuffer& buffer_;

 private:
  View<uint64_t> words_;
  Napi::ObjectReference words_owner_;
};

class CgroupReaderObject final : public ReaderObject<CgroupReader> {
 public:
  using ReaderObject::ReaderObject;

  static std::unique_ptr<CgroupReaderObject> open(Options options, Napi::Env env) {
    const auto root = options.get<std::string>("root");
    const auto path = options.get<std::string>("path");
    const auto words = options.get<View<uint64_t>>("words");
    const bool require_cgroupfs = options.get<bool>("requireCgroupfs");
    if (!options.is_readable()) return nullptr;
    auto object = std::make_unique<CgroupReaderObject>(env);
    const ReadFailure failure =
        has_nul(root) || has_nul(path)
            ? path_failure()
            : object->reader_.open(root.c_str(), path.c_str(), require_cgroupfs);
    if (failure) {
      throw_failure(env, failure);
      return nullptr;
    }
    object->bind(words);
    return object;
  }

  uint32_t read(uint32_t parts) {
    reading_.clear();
    return give(reader_.read(parts, monotonic_ns(), buffer_, reading_));
  }
};

class ProcReaderObject final : public ReaderObject<ProcReader> {
 public:
  using ReaderObject::ReaderObject;

  static std::unique_ptr<ProcReaderObject> open(Options options, Napi::Env env) {
    const auto proc_root = options.get<std::string>("procRoot");
    const auto words = options.get<View<uint64_t>>("words");
    ProcReader::Options process;
    process.pid = options.get<int32_t>("pid");
    process.proc_root = proc_root.c_str();
    process.tree = options.get<bool>("tree");
    process.reaper_pid = options.get<int32_t>("reaperPid");
    if (!options.is_readable()) return nullptr;
    auto object = std::make_unique<ProcReaderObject>(env);
    if (const ReadFailure failure = object->reader_.open(process, object->buffer_)) {
      throw_failure(env, failure);
      return nullptr;
    }
    object->bind(words);
    return object;
  }

  uint32_t read(uint32_t parts) {
    reading_.clear();
    return give(reader_.read(parts, buffer_, reading_));
  }
};

template <typename Object>
void define(Napi::Env env, Napi::Object exports, const char* name) {
  using Class = JsClass<Object>;
  static constexpr JsMethod kMethods[] = {
      Class::template method<&Object::read>("read"),
      Class::template method<&Object::failure>("failure"),
      Class::template method<&Object::close>("close"),
  };
  Class::define(env, exports, name, kMethods);
}

}  // namespace

void init_readers(Napi::Env env, Napi::Object exports) {
  define<CgroupReaderObject>(env, exports, "CgroupReader");
  define<ProcReaderObject>(env, exports, "ProcReader");
}

}  // namespace episcope
