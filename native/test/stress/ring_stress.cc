// Threads that write and read one ring as fast as they can, for test/ring/stress.mjs.
#include <napi.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "../../core/ring_reader.h"
#include "../../core/ring_shape.h"
#include "../../core/ring_writer.h"
#include "checked_frame.h"

namespace episcope {
namespace {

/// RingWriter without the odd stamp: to see that the harness sees it.
class TearingWriter {
 public:
  bool bind(void* memory, size_t size) {
    if (!ring_.bind(memory, size)) return false;
    head_ = ring_.first();
    return true;
  }

  void publish(const Reading& reading) {
    const RingSlot slot = ring_.slot(head_);
    slot.data(word::kSeq).store(head_ - ring_.first(), std::memory_order_relaxed);
    for (uint32_t w = word::kSeq + 1; w < kFrameWords; w++) {
      slot.data(w).store(reading.words[w], std::memory_order_relaxed);
    }
    slot.stamp().store(stamp_done(head_), std::memory_order_release);
    head_++;
    ring_.head().store(head_, std::memory_order_release);
  }

  void end() { ring_.state().store(ring_state::kEnded, std::memory_order_release); }

 private:
  RingShape ring_;
  uint32_t head_ = 0;
};

struct Account {
  uint64_t returned = 0;
  uint64_t missed = 0;
  uint64_t torn = 0;
  uint64_t disordered = 0;
  bool corrupt = false;
};

template <typename Writer>
void publish(Writer writer, uint64_t frames) {
  Reading reading;
  for (uint64_t seq = 0; seq < frames; seq++) {
    fill(&reading, seq);
    writer.publish(reading);
  }
  writer.end();
}

void follow(RingReader reader, Account* account) {
  constexpr size_t kBatch = 64;
  std::vector<FrameWords> frames(kBatch);
  uint64_t next = 0;
  for (bool last = false; !last;) {
    // What is there once the ring has ended is all there will be.
    last = reader.ended();
    size_t copied = reader.read(frames.data(), kBatch);
    for (; copied > 0; copied = reader.read(frames.data(), kBatch)) {
      for (size_t i = 0; i < copied; i++) {
        const uint64_t seq = frames[i].words[word::kSeq];
        if (!whole(frames[i])) account->torn++;
        if (seq < next) account->disordered++;
        next = seq + 1;
      }
      account->returned += copied;
    }
    if (!last) std::this_thread::yield();
  }
  account->missed = reader.missed();
  account->corrupt = reader.corrupt();
}

struct Running {
  std::thread thread;
  Account account;
};

Napi::Value running(const Napi::CallbackInfo& info, std::unique_ptr<Running> run) {
  return Napi::External<Running>::New(info.Env(), run.release(),
                                      [](Napi::Env, Running* done) { delete done; });
}

// startWriter(ring: Uint32Array, frames, tearing: boolean) → External | null
Napi::Value start_writer(const Napi::CallbackInfo& info) {
  auto ring = info[0].As<Napi::Uint32Array>();
  const uint32_t frames = info[1].As<Napi::Number>();
  auto run = std::make_unique<Running>();
  if (info[2].As<Napi::Boolean>()) {
    TearingWriter writer;
    if (!writer.bind(ring.Data(), ring.ByteLength())) return info.Env().Null();
    run->thread = std::thread(publish<TearingWriter>, writer, frames);
  } else {
    RingWriter writer;
    if (!writer.bind(ring.Data(), ring.ByteLength())) return info.Env().Null();
    run->thread = std::thread(publish<RingWriter>, writer, frames);
  }
  return running(info, std::move(run));
}

// startReader(ring: Uint32Array) → External | null
Napi::Value start_reader(const Napi::CallbackInfo& info) {
  auto ring = info[0].As<Napi::Uint32Array>();
  RingReader reader;
  if (!reader.bind(ring.Data(), ring.ByteLength())) return info.Env().Null();
  auto run = std::make_unique<Running>();
  run->thread = std::thread(follow, reader, &run->account);
  return running(info, std::move(run));
}

// join(External) → { returned, missed, torn, disordered, corrupt }: once, when the ring has ended
Napi::Value join(const Napi::CallbackInfo& info) {
  Running* run = info[0].As<Napi::External<Running>>().Data();
  run->thread.join();
  auto account = Napi::Object::New(info.Env());
  account.Set("returned", static_cast<double>(run->account.returned));
  account.Set("missed", static_cast<double>(run->account.missed));
  account.Set("torn", static_cast<double>(run->account.torn));
  account.Set("disordered", static_cast<double>(run->account.disordered));
  account.Set("corrupt", run->account.corrupt);
  return account;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("startWriter", Napi::Function::New(env, start_writer));
  exports.Set("startReader", Napi::Function::New(env, start_reader));
  exports.Set("join", Napi::Function::New(env, join));
  return exports;
}

}  // namespace

NODE_API_MODULE(ring_stress, init)

}  // namespace episcope
