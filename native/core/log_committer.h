// Group commit of an event log: a thread waits for the lock and writes, with one sync, whatever was
// appended by then.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "actuator.h"
#include "event_log.h"

namespace episcope {

struct LogAppend {
  /// With its newline.
  std::string text;
  uint64_t rotate_bytes = 0;
  uint32_t id = 0;
  std::shared_ptr<ActionListener> listener;
};

/// `action_done` tells each append's end: 0 when it is on disk, else `packed(failure)`.
class LogCommitter : public std::enable_shared_from_this<LogCommitter> {
 public:
  /// The process's one for these paths: while another process keeps the lock for ever there is one
  /// thread that waits for it, whoever asked and gave up.
  static std::shared_ptr<LogCommitter> at(const std::string& path, const std::string& lock_path);

  LogCommitter(std::string path, std::string lock_path);
  LogCommitter(const LogCommitter&) = delete;
  LogCommitter& operator=(const LogCommitter&) = delete;

  /// Waits for nothing; appends are written in the order they came. 0, or the errno that kept the
  /// thread from starting: nothing is told then.
  int append(LogAppend append);

  /// Of the listener's append; unless it is too late, nothing is told of it either.
  LogCancel cancel(const ActionListener& listener, uint32_t id);

  /// errno | file << 16 | fault << 24
  static int packed(const LogFailure& failure);

 private:
  static void* run(void* committer);
  void serve();
  void commit(std::deque<LogAppend> batch);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<LogAppend> waiting_;
  /// The thread lives while there is something to write, and a little longer.
  bool running_ = false;
  /// Else what waits waits for the lock, be it that the thread has not come to it yet.
  bool is_writing_ = false;
  /// The thread's.
  EventLog log_;
};

}  // namespace episcope
