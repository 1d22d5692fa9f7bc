// A thread of the process that all environments share: the first environment that needs it starts
// it, and the end of the last one stops it.
#pragma once

#include <cstdint>
#include <mutex>

namespace episcope {

/// `Thread` must have `int start()` and `bool stop(timeout_ns)`.
template <typename Thread>
class SharedThread {
 public:
  /// Never destroyed: the threads of other environments still run when the process exits.
  static SharedThread& instance() {
    static auto* const instance = new SharedThread;
    return *instance;
  }

  /// Counts one more user. If the thread does not start, sets `error` to an errno and returns
  /// nullptr.
  Thread* acquire(int& error) {
    const std::lock_guard lock(mutex_);
    error = 0;
    if (thread_ == nullptr) {
      auto* thread = new Thread;
      error = thread->start();
      if (error != 0) {
        delete thread;
        return nullptr;
      }
      thread_ = thread;
    }
    users_++;
    return thread_;
  }

  /// Counts one user less. Holds the lock while the thread stops, so that two never run at once.
  void release(uint64_t timeout_ns) {
    const std::lock_guard lock(mutex_);
    if (--users_ > 0) return;
    // A thread that is stuck in the kernel still needs the object.
    if (thread_->stop(timeout_ns)) delete thread_;
    thread_ = nullptr;
  }

 private:
  std::mutex mutex_;
  Thread* thread_ = nullptr;
  uint32_t users_ = 0;
};

}  // namespace episcope
