// A reader of a ring for TypeScript: copies frames in batches, and waits for the next one.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

#include "../core/ring_reader.h"
#include "../core/ring_waiters.h"
#include "../core/schema.h"
#include "bindings.h"

namespace episcope {
namespace {

constexpr size_t kHalvesOfFrame = kRingSlotBytes / sizeof(uint32_t);
/// Only these are copied out: beyond them a FrameWords is uninitialized.
constexpr size_t kFrameBytes = kFrameWords * sizeof(uint64_t);
constexpr int kCorrupt = -1;

struct BoundRingReader {
  RingReader reader;
  const void* ring = nullptr;
  std::shared_ptr<RingWaiters> waiters;
  // Without a strong reference the collector frees the shared memory under the reader.
  Napi::Reference<Napi::Uint8Array> ring_owner;

  RingWaiters& waiters_of_ring() {
    if (!waiters) waiters = RingWaiters::of(ring);
    return *waiters;
  }
};

BoundRingReader* unwrap(const Napi::CallbackInfo& info) {
  return info[0].As<Napi::External<BoundRingReader>>().Data();
}

// openRingReader(ring: Uint8Array) → External, or null for what is no ring of this layout
Napi::Value OpenRingReader(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Uint8Array ring = info[0].As<Napi::Uint8Array>();
  auto* bound = new BoundRingReader;
  if (!bound->reader.bind(ring.Data(), ring.ByteLength())) {
    delete bound;
    return env.Null();
  }
  bound->ring = ring.Data();
  bound->ring_owner = Napi::Persistent(ring);
  return external(env, bound);
}

/// Like RingReader::read, to memory that need not be aligned for whole words.
size_t read_unaligned(RingReader& reader, std::byte* out, size_t max) {
  FrameWords frame;
  size_t copied = 0;
  while (copied < max && reader.read(&frame, 1) == 1) {
    std::memcpy(out + copied * sizeof frame, &frame, kFrameBytes);
    copied++;
  }
  return copied;
}

// ringReaderCopyNext(reader, out: Uint32Array, max) → count, or −1 for a ring that is corrupt.
// `out` is looked at anew: its buffer may have been transferred or shrunk since the last call.
Napi::Value RingReaderCopyNext(const Napi::CallbackInfo& info) {
  RingReader& reader = unwrap(info)->reader;
  Napi::Uint32Array out = info[1].As<Napi::Uint32Array>();
  const size_t max = std::min(static_cast<size_t>(info[2].As<Napi::Number>().Uint32Value()),
                              out.ElementLength() / kHalvesOfFrame);
  size_t copied = 0;
  if (max > 0) {
    auto* bytes = reinterpret_cast<std::byte*>(out.Data());
    const bool aligned = reinterpret_cast<uintptr_t>(bytes) % alignof(FrameWords) == 0;
    copied = aligned ? reader.read(reinterpret_cast<FrameWords*>(bytes), max)
                     : read_unaligned(reader, bytes, max);
  }
  return Napi::Number::New(info.Env(), reader.corrupt() ? kCorrupt : static_cast<double>(copied));
}

// ringReaderCopyLatest(reader, out: Uint32Array) → 1, 0 when there is none yet, −1 for a corrupt
// ring
Napi::Value RingReaderCopyLatest(const Napi::CallbackInfo& info) {
  RingReader& reader = unwrap(info)->reader;
  Napi::Uint32Array out = info[1].As<Napi::Uint32Array>();
  FrameWords frame;
  const bool copied = out.ElementLength() >= kHalvesOfFrame && reader.latest(frame);
  if (copied) std::memcpy(out.Data(), &frame, kFrameBytes);
  return Napi::Number::New(info.Env(), reader.corrupt() ? kCorrupt : copied ? 1 : 0);
}

Napi::Value RingReaderMissed(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(unwrap(info)->reader.missed()));
}

Napi::Value RingReaderAvailable(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info)->reader.available());
}

void RingReaderSkipToLatest(const Napi::CallbackInfo& info) {
  unwrap(info)->reader.skip_to_latest();
}

// armRingWait(reader, id, seenHead) → false, and nothing is armed, when there is more already.
// Else the listener of `id` is called, once, after the next frame or the end.
Napi::Value ArmRingWait(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uint32_t id = info[1].As<Napi::Number>();
  const uint32_t seen_head = info[2].As<Napi::Number>();
  RingWaiters& waiters = unwrap(info)->waiters_of_ring();
  return Napi::Boolean::New(env,
                            waiters.arm(env.GetInstanceData<EnvState>()->events, id, seen_head));
}

void DisarmRingWait(const Napi::CallbackInfo& info) {
  const uint32_t id = info[1].As<Napi::Number>();
  unwrap(info)->waiters_of_ring().disarm(info.Env().GetInstanceData<EnvState>()->events.get(), id);
}

}  // namespace

void init_ring_reader(Napi::Env env, Napi::Object exports) {
  exports.Set("openRingReader", Napi::Function::New<OpenRingReader>(env));
  exports.Set("ringReaderCopyNext", Napi::Function::New<RingReaderCopyNext>(env));
  exports.Set("ringReaderCopyLatest", Napi::Function::New<RingReaderCopyLatest>(env));
  exports.Set("ringReaderMissed", Napi::Function::New<RingReaderMissed>(env));
  exports.Set("ringReaderAvailable", Napi::Function::New<RingReaderAvailable>(env));
  exports.Set("ringReaderSkipToLatest", Napi::Function::New<RingReaderSkipToLatest>(env));
  exports.Set("armRingWait", Napi::Function::New<ArmRingWait>(env));
  exports.Set("disarmRingWait", Napi::Function::New<DisarmRingWait>(env));
}

}  // namespace episcope
