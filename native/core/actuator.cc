#include "actuator.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "thread.h"

namespace episcope {
namespace {

/// The write of a limit waits for reclaim, unless its descriptor does not wait.
bool may_wait_for_reclaim(const std::string& file) { return file.starts_with("memory."); }

int write_file(const Action& action) {
  const std::string path = action.directory + "/" + action.file;
  const int extra = may_wait_for_reclaim(action.file) ? O_NONBLOCK : 0;
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | extra);
  if (fd < 0) return errno;
  const ssize_t written = write(fd, action.text.data(), action.text.size());
  int error = 0;
  if (written < 0) {
    error = errno;
  } else if (static_cast<size_t>(written) != action.text.size()) {
    error = EIO;
  }
  close(fd);
  return error;
}

int perform(const Action& action) {
  if (!action.file.empty()) return write_file(action);
  return rmdir(action.directory.c_str()) == 0 ? 0 : errno;
}

}  // namespace

struct Actuator::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Action> waiting;
  bool stopping = false;
  bool running = false;
};

Actuator::Actuator() : state_(std::make_shared<State>()) {}

Actuator::~Actuator() { stop(0); }

int Actuator::start() {
  pthread_attr_t attributes;
  if (const int error = pthread_attr_init(&attributes); error != 0) return error;
  // Detached: a join has no bound, and the thread owns what it needs.
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  auto* own = new std::shared_ptr<State>(state_);
  state_->running = true;
  pthread_t thread;
  const int error = create_thread(thread, attributes, run, own);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    state_->running = false;
    delete own;
  }
  return error;
}

void Actuator::add(Action action) {
  const std::lock_guard lock(state_->mutex);
  state_->waiting.push_back(std::move(action));
  state_->changed.notify_all();
}

bool Actuator::stop(uint64_t timeout_ns) {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  return state_->changed.wait_for(lock, std::chrono::nanoseconds(timeout_ns),
                                  [this] { return !state_->running; });
}

void* Actuator::run(void* state) {
  auto* handed_over = static_cast<std::shared_ptr<State>*>(state);
  const std::shared_ptr<State> own = std::move(*handed_over);
  delete handed_over;
  pthread_setname_np(pthread_self(), "episcope-act");
  std::unique_lock lock(own->mutex);
  for (;;) {
    own->changed.wait(lock, [&own] { return own->stopping || !own->waiting.empty(); });
    if (own->waiting.empty()) break;
    const Action action = std::move(own->waiting.front());
    own->waiting.pop_front();
    lock.unlock();
    action.listener->action_done(action.id, perform(action));
    lock.lock();
  }
  own->running = false;
  own->changed.notify_all();
  return nullptr;
}

}  // namespace episcope
