#include "env_children.h"

#include <signal.h>
#include <sys/mman.h>
#include <uv.h>

#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <unordered_set>
#include <utility>

namespace episcope {

namespace {

/// libuv calls the handles of one signal by ascending address, and its own handle of SIGCHLD, which
/// reaps, is a part of the loop: a handle at a lower address than the loop is called just before
/// it. At a higher address this handle is useless but harmless.
class ReapingSignal {
 public:
  /// Returns nullptr on failure.
  static ReapingSignal* start(uv_loop_t* loop, std::function<void()> before_reaping) {
    ReapingSignal* signal = allocate_low();
    if (signal == nullptr) return nullptr;
    signal->before_reaping_ = std::move(before_reaping);
    signal->handle_.data = signal;
    if (uv_signal_init(loop, &signal->handle_) != 0) {
      free(signal);
      return nullptr;
    }
    uv_unref(reinterpret_cast<uv_handle_t*>(&signal->handle_));
    const auto call = [](uv_signal_t* handle, int) {
      static_cast<ReapingSignal*>(handle->data)->before_reaping_();
    };
    static_cast<void>(uv_signal_start(&signal->handle_, call, SIGCHLD));
    return signal;
  }

  /// Calls `closed` once the loop has released the handle.
  void close(std::function<void()> closed) {
    before_reaping_ = std::move(closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* handle) {
      auto* signal = static_cast<ReapingSignal*>(handle->data);
      const std::function<void()> closed = std::move(signal->before_reaping_);
      free(signal);
      closed();
    });
  }

 private:
  static constexpr size_t kPage = 4096;

  static ReapingSignal* allocate_low() {
    // Below everything that a linker or an allocator places. The kernel may ignore the hint.
    static std::atomic<uintptr_t> next_hint{0x100000};
    void* hint = reinterpret_cast<void*>(next_hint.fetch_add(kPage));
    void* page = mmap(hint, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return nullptr;
    return new (page) ReapingSignal;
  }

  static void free(ReapingSignal* signal) {
    signal->~ReapingSignal();
    munmap(signal, kPage);
  }

  uv_signal_t handle_{};
  std::function<void()> before_reaping_;
};

}  // namespace

struct EnvChildren::Polls : std::enable_shared_from_this<EnvChildren::Polls> {
  std::unordered_set<Poll*> open;
  ReapingSignal* reaping = nullptr;
  size_t closing = 0;
  bool hooked = false;
  napi_async_cleanup_hook_handle ending = nullptr;

  void close(Poll* poll);
  void close_all();
  void ask_all();
  void end_if_closed();
};

struct EnvChildren::Poll {
  uv_poll_t handle{};
  std::shared_ptr<ChildWatch> watch;
  std::shared_ptr<Polls> polls;
};

EnvChildren::EnvChildren() : polls_(std::make_shared<Polls>()) {}

std::shared_ptr<ChildWatch> EnvChildren::watch(Napi::Env env, int pid) {
  uv_loop_t* loop = nullptr;
  if (polls_->ending != nullptr || napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  std::shared_ptr<ChildWatch> watch = ChildWatch::open(pid);
  if (!watch || watch->exit()) return watch;
  if (!polls_->hooked) {
    const auto end = [](napi_async_cleanup_hook_handle handle, void* data) {
      const std::unique_ptr<std::shared_ptr<Polls>> polls(
          static_cast<std::shared_ptr<Polls>*>(data));
      (*polls)->ending = handle;
      (*polls)->close_all();
      (*polls)->end_if_closed();
    };
    auto* data = new std::shared_ptr<Polls>(polls_);
    if (napi_add_async_cleanup_hook(env, end, data, nullptr) != napi_ok) {
      delete data;
      return watch;
    }
    polls_->hooked = true;
    // Reads how a child ended that exits while the descriptors of this turn are served.
    polls_->reaping = ReapingSignal::start(loop, [polls = polls_.get()] { polls->ask_all(); });
  }
  auto* poll = new Poll;
  poll->watch = watch;
  poll->polls = polls_;
  poll->handle.data = poll;
  // Without the poll the sampler still reads how the child ended, but may be too late.
  if (uv_poll_init(loop, &poll->handle, watch->pidfd()) != 0) {
    delete poll;
    return watch;
  }
  polls_->open.insert(poll);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll->handle));
  const auto exited = [](uv_poll_t* handle, int, int) {
    auto* fired = static_cast<Poll*>(handle->data);
    // All watches: when the loop reaps, it reaps every child that has exited by then.
    fired->polls->ask_all();
    fired->polls->close(fired);
  };
  if (uv_poll_start(&poll->handle, UV_READABLE, exited) != 0) polls_->close(poll);
  return watch;
}

void EnvChildren::release_unused() {
  const std::unordered_set<Poll*> open = polls_->open;
  for (Poll* poll : open) {
    if (poll->watch.use_count() == 1) polls_->close(poll);
  }
}

void EnvChildren::Polls::ask_all() {
  for (Poll* poll : open) static_cast<void>(poll->watch->exit());
}

void EnvChildren::Polls::close(Poll* poll) {
  if (open.erase(poll) == 0) return;
  closing++;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll->handle), [](uv_handle_t* handle) {
    const std::unique_ptr<Poll> closed(static_cast<Poll*>(handle->data));
    closed->polls->closing--;
    closed->polls->end_if_closed();
  });
}

void EnvChildren::Polls::close_all() {
  const std::unordered_set<Poll*> still_open = open;
  for (Poll* poll : still_open) close(poll);
  if (reaping == nullptr) return;
  closing++;
  std::exchange(reaping, nullptr)->close([self = shared_from_this()] {
    self->closing--;
    self->end_if_closed();
  });
}

void EnvChildren::Polls::end_if_closed() {
  if (ending == nullptr || closing > 0) return;
  napi_remove_async_cleanup_hook(std::exchange(ending, nullptr));
}

}  // namespace episcope
