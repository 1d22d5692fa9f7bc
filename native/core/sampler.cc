#include "sampler.h"

#include <sys/prctl.h>

#include <utility>

#include "sampler_loop.h"
#include "thread.h"

namespace episcope {
namespace {

// Independent of the default (musl: 128 KiB), because the walk of deep cgroups has a buffer per
// level.
constexpr size_t kStackBytes = 1024 * 1024;

void* run(void* argument) {
  const std::unique_ptr<std::shared_ptr<SamplerLoop>> loop(
      static_cast<std::shared_ptr<SamplerLoop>*>(argument));
  pthread_setname_np(pthread_self(), "episcope");
  // By default the kernel delays timers by up to 50 µs to coalesce wakes, which we do ourselves.
  prctl(PR_SET_TIMERSLACK, 1);
  (*loop)->run();
  return nullptr;
}

}  // namespace

std::shared_ptr<SamplerLoop> Sampler::loop() {
  const std::lock_guard lock(mutex_);
  return loop_;
}

int Sampler::start() {
  const std::lock_guard lifecycle(lifecycle_);
  if (loop()) return 0;
  auto started = std::make_shared<SamplerLoop>();
  if (const int error_number = started->open()) return error_number;
  auto argument = std::make_unique<std::shared_ptr<SamplerLoop>>(started);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const int error_number = create_thread(thread_, attributes, run, argument.get());
  pthread_attr_destroy(&attributes);
  if (error_number != 0) return error_number;
  argument.release();  // the thread owns it now
  const std::lock_guard lock(mutex_);
  loop_ = std::move(started);
  return 0;
}

void Sampler::add(std::shared_ptr<SampledEpisode> episode) {
  const auto running = loop();
  if (!running) return;
  episode->set_queue(running);
  running->post(std::move(episode));
}

void Sampler::post(std::shared_ptr<SampledEpisode> episode) {
  if (const auto running = loop()) running->post(std::move(episode));
}

bool Sampler::stop(uint64_t timeout_ns) {
  const std::lock_guard lifecycle(lifecycle_);
  const auto running = loop();
  if (!running) return true;
  running->request_stop();
  if (!running->wait_for_stop(timeout_ns)) return false;
  pthread_join(thread_, nullptr);
  const std::lock_guard lock(mutex_);
  loop_.reset();
  return true;
}

}  // namespace episcope
