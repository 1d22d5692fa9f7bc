#include "sampler.h"

#include <utility>

#include "sampler_loop.h"
#include "thread.h"

namespace episcope {
namespace {

// Independent of the default (musl: 128 KiB), because the walk of deep cgroups has a buffer per
// level.
constexpr size_t kStackBytes = 1024 * 1024;

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
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const int error_number = start_thread<&SamplerLoop::run>(started, attributes, thread_);
  pthread_attr_destroy(&attributes);
  if (error_number != 0) return error_number;
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
