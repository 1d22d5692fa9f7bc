// RingReader for TypeScript: copies frames in batches, and waits for the next one.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>

#include "../core/ring_reader.h"
#include "../core/ring_waiters.h"
#include "../core/schema.h"
#include "bindings.h"
#include "errors.h"
#include "js_class.h"

namespace episcope {
namespace {

constexpr size_t kHalvesOfFrame = kRingSlotBytes / sizeof(uint32_t);
/// Only these bytes are copied out: the rest of a FrameWords is uninitialized.
constexpr size_t kFrameBytes = kFrameWords * sizeof(uint64_t);
constexpr int32_t kCorrupt = -1;

class WakeListener final : public EnvListener {
 public:
  explicit WakeListener(Napi::Function function) : EnvListener(function, true) {}
  Napi::Value take(Napi::Env env, uint32_t, bool& is_last) override {
    is_last = true;
    return env.Undefined();
  }
};

class RingReaderObject {
 public:
  static std::unique_ptr<RingReaderObject> open(View<uint8_t> ring, Napi::Env env) {
    auto object = std::make_unique<RingReaderObject>();
    if (!object->reader_.bind(ring.data, ring.length)) {
      throw_refusal(env, "ERR_RING_CORRUPT");
      return nullptr;
    }
    object->ring_ = ring.data;
    object->ring_owner_ = Napi::Persistent(Napi::Object(env, ring.array));
    return object;
  }

  /// Returns the number of frames copied, or kCorrupt if the ring is corrupt. `out` is checked in
  /// each call: its buffer may have been transferred or shrunk since the last one.
  int32_t copy_next(View<uint32_t> out, uint32_t max) {
    max = static_cast<uint32_t>(std::min<size_t>(max, out.length / kHalvesOfFrame));
    const bool aligned = reinterpret_cast<uintptr_t>(out.data) % alignof(FrameWords) == 0;
    const size_t copied = max == 0  ? 0
                          : aligned ? reader_.read(reinterpret_cast<FrameWords*>(out.data), max)
                                    : read_unaligned(out.data, max);
    return reader_.corrupt() ? kCorrupt : static_cast<int32_t>(copied);
  }

  /// Returns 1, or 0 if there is no frame yet, or kCorrupt.
  int32_t copy_latest(View<uint32_t> out) {
    FrameWords frame;
    const bool copied = out.length >= kHalvesOfFrame && reader_.latest(frame);
    if (copied) std::memcpy(out.data, &frame, kFrameBytes);
    return reader_.corrupt() ? kCorrupt : copied ? 1 : 0;
  }

  double missed() { return static_cast<double>(reader_.missed()); }
  uint32_t available() { return reader_.available(); }
  void skip_to_latest() { reader_.skip_to_latest(); }

  std::optional<uint32_t> arm(uint32_t seen_head, Napi::Function on_wake, Napi::Env env) {
    if (!EnvEvents::open(env)) return std::nullopt;
    const auto& events = env.GetInstanceData<EnvState>()->events;
    const uint32_t id = events->add(env, std::make_shared<WakeListener>(on_wake));
    if (waiters().arm(events, id, seen_head)) return id;
    events->remove(env, id);
    return std::nullopt;
  }

  void disarm(uint32_t id, Napi::Env env) {
    EnvEvents& events = *env.GetInstanceData<EnvState>()->events;
    waiters().disarm(&events, id);
    events.remove(env, id);
  }

 private:
  /// Like RingReader::read, but `out` need not be aligned for whole words.
  size_t read_unaligned(uint32_t* out, size_t max) {
    FrameWords frame;
    size_t copied = 0;
    while (copied < max && reader_.read(&frame, 1) == 1) {
      std::memcpy(out + copied * kHalvesOfFrame, &frame, kFrameBytes);
      copied++;
    }
    return copied;
  }

  RingWaiters& waiters() {
    if (!waiters_) waiters_ = RingWaiters::of(ring_);
    return *waiters_;
  }

  RingReader reader_;
  const void* ring_ = nullptr;
  std::shared_ptr<RingWaiters> waiters_;
  // Without a strong reference the garbage collector frees the shared memory under the reader.
  Napi::ObjectReference ring_owner_;
};

}  // namespace

void init_ring_reader(Napi::Env env, Napi::Object exports) {
  using Class = JsClass<RingReaderObject>;
  static constexpr JsMethod kMethods[] = {
      Class::method<&RingReaderObject::copy_next>("copyNext"),
      Class::method<&RingReaderObject::copy_latest>("copyLatest"),
      Class::method<&RingReaderObject::missed>("missed"),
      Class::method<&RingReaderObject::available>("available"),
      Class::method<&RingReaderObject::skip_to_latest>("skipToLatest"),
      Class::method<&RingReaderObject::arm>("arm"),
      Class::method<&RingReaderObject::disarm>("disarm"),
  };
  Class::define(env, exports, "RingReader", kMethods);
}

}  // namespace episcope
