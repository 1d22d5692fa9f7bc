// A thread of the process that environments share: the first that needs it starts it, the end of
// the last one stops it.
#pragma once

#include <cstdint>
#include <mutex>

namespace episcope {

/// `Thread` has `int start()` and `bool stop(timeout_ns)`.
template <typename Thread>
class SharedThread {
 public:
  /// Never destroyed: at the process's exit other environments' threads still run.
  static SharedThread& instance() {
    static auto* const instance = new SharedThread;
    return *instance;
  }

  /// Counts one more user. Sets `error` to an errno, and returns nullptr, where the thread does not
  /// start.
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

  /// One user less. The lock is held meanwhile, so that there are never two of these threads.
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
