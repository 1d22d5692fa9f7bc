#include "env_children.h"

#include <uv.h>

#include <unordered_set>
#include <utility>

namespace episcope {

struct EnvChildren::Polls {
  std::unordered_set<Poll*> open;
  size_t closing = 0;
  bool hooked = false;
  napi_async_cleanup_hook_handle ending = nullptr;

  void close(Poll* poll);
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
      const std::unordered_set<Poll*> open = (*polls)->open;
      for (Poll* poll : open) (*polls)->close(poll);
      (*polls)->end_if_closed();
    };
    auto* data = new std::shared_ptr<Polls>(polls_);
    if (napi_add_async_cleanup_hook(env, end, data, nullptr) != napi_ok) {
      delete data;
      return watch;
    }
    polls_->hooked = true;
  }
  auto* poll = new Poll;
  poll->watch = watch;
  poll->polls = polls_;
  poll->handle.data = poll;
  // Without it the sampler still asks, and may be too late.
  if (uv_poll_init(loop, &poll->handle, watch->pidfd()) != 0) {
    delete poll;
    return watch;
  }
  polls_->open.insert(poll);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll->handle));
  const auto exited = [](uv_poll_t* handle, int, int) {
    auto* fired = static_cast<Poll*>(handle->data);
    // All of them: the loop reaps every child that has ended by the time it comes to that.
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

void EnvChildren::Polls::end_if_closed() {
  if (ending == nullptr || closing > 0) return;
  napi_remove_async_cleanup_hook(std::exchange(ending, nullptr));
}

}  // namespace episcope
