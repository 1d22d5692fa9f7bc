#include "actuator.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <chrono>

#include "open_beneath.h"
#include "own_membership.h"
#include "thread.h"

namespace episcope {
namespace {

/// Writing a limit waits for reclaim unless the descriptor is O_NONBLOCK.
bool may_wait_for_reclaim(const std::string& file) { return file.starts_with("memory."); }

/// If the action stops this process too, it cannot continue.
bool stops_the_cgroup(const Action& action) {
  return action.file == "cgroup.kill" || (action.file == "cgroup.freeze" && action.text == "1");
}

/// Follows links in the path of the directory, as `/proc/self/fd/N` requires; in the directory
/// itself it opens only an entry of its own, neither a link nor a mount. Returns 0 or an errno.
int write_file(const Action& action) {
  OwnedDescriptor opened;
  int dirfd = action.directory_fd.get();
  if (dirfd < 0) {
    opened = OwnedDescriptor(open(action.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    dirfd = opened.get();
  }
  if (dirfd < 0) return errno;
  if (stops_the_cgroup(action)) {
    if (const int error = why_not_stopped(dirfd); error != 0) return error;
  }
  const int extra = may_wait_for_reclaim(action.file) ? O_NONBLOCK : 0;
  const OwnedDescriptor file(open_child(dirfd, action.file.c_str(), O_WRONLY | extra));
  if (!file.is_open()) return errno;
  const ssize_t written = write(file.get(), action.text.data(), action.text.size());
  if (written < 0) return errno;
  return static_cast<size_t>(written) == action.text.size() ? 0 : EIO;
}

int perform(const Action& action) {
  if (action.kill) return kill_everything(action.kill->plan());
  if (!action.file.empty()) return write_file(action);
  return rmdir(action.directory.c_str()) == 0 ? 0 : errno;
}

}  // namespace

bool ActionQueue::add(Action action) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  waiting_.push_back(std::move(action));
  changed_.notify_all();
  return true;
}

Actuator::Actuator() : queue_(std::make_shared<ActionQueue>()) {}

Actuator::~Actuator() { stop(0); }

int Actuator::start() {
  queue_->running_ = true;
  const int error = start_detached_thread<&ActionQueue::run>(queue_);
  if (error != 0) queue_->running_ = false;
  return error;
}

bool Actuator::stop(uint64_t timeout_ns) {
  // Actions that will not be done are destroyed outside the lock: their owners may hold the queue.
  std::deque<Action> never_done;
  std::unique_lock lock(queue_->mutex_);
  queue_->stopping_ = true;
  if (!queue_->running_) never_done.swap(queue_->waiting_);
  queue_->changed_.notify_all();
  return queue_->changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns),
                                   [this] { return !queue_->running_; });
}

void ActionQueue::run() {
  pthread_setname_np(pthread_self(), "episcope-act");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) break;
    const Action action = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    action.listener->action_done(action.id, perform(action));
    lock.lock();
  }
  running_ = false;
  changed_.notify_all();
}

}  // namespace episcope
