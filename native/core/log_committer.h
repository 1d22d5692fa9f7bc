// Group commit for an event log: a thread waits for the lock and then writes everything that was
// appended meanwhile, with one sync.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "event_log.h"

namespace episcope {

/// Receives the result of an append, on the committer's thread. It must neither block nor throw,
/// and does nothing once its environment is gone.
class LogListener {
 public:
  virtual ~LogListener() = default;
  /// Reports that append `id` is on disk, or in `failure` why it is not.
  virtual void append_done(uint32_t id, const LogFailure& failure) = 0;
};

struct LogAppend {
  /// Includes the newline.
  std::string text;
  uint64_t rotate_bytes = 0;
  uint32_t id = 0;
  std::shared_ptr<LogListener> listener;
};

class LogCommitter : public std::enable_shared_from_this<LogCommitter> {
 public:
  /// Returns the committer that the process has for these paths: if another process never releases
  /// the lock, only one thread waits for it, however many callers have given up.
  static std::shared_ptr<LogCommitter> at(const std::string& path, const std::string& lock_path);

  LogCommitter(std::string path, std::string lock_path);
  LogCommitter(const LogCommitter&) = delete;
  LogCommitter& operator=(const LogCommitter&) = delete;

  /// Does not block; lines are written in call order. Returns 0, or the errno if the thread could
  /// not be started: the listener is not called then.
  int append(LogAppend append);

  /// Cancels an append of the listener. Unless it is too late, the listener is not called.
  LogCancel cancel(const LogListener& listener, uint32_t id);

 private:
  void run();
  void commit(std::deque<LogAppend> batch);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<LogAppend> waiting_;
  /// The thread runs while there is something to write, and a little longer.
  bool running_ = false;
  /// If false, pending appends are waiting for the lock, or the thread has not reached them yet.
  bool is_writing_ = false;
  /// Used by the thread only.
  EventLog log_;
};

}  // namespace episcope
