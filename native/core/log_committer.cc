#include "log_committer.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "thread.h"

namespace episcope {
namespace {

/// How long the files stay open and the thread alive for another append.
constexpr std::chrono::milliseconds kLinger{200};

}  // namespace

std::shared_ptr<LogCommitter> LogCommitter::at(const std::string& path,
                                               const std::string& lock_path) {
  struct Known {
    std::mutex mutex;
    std::map<std::pair<std::string, std::string>, std::weak_ptr<LogCommitter>> committers;
  };
  // Never destroyed: workers may end after the exit handlers of the process have run.
  static auto* const known = new Known;
  const std::lock_guard lock(known->mutex);
  std::erase_if(known->committers, [](const auto& each) { return each.second.expired(); });
  std::weak_ptr<LogCommitter>& there = known->committers[{path, lock_path}];
  std::shared_ptr<LogCommitter> committer = there.lock();
  if (committer == nullptr) {
    committer = std::make_shared<LogCommitter>(path, lock_path);
    there = committer;
  }
  return committer;
}

LogCommitter::LogCommitter(std::string path, std::string lock_path)
    : log_(std::move(path), std::move(lock_path)) {}

int LogCommitter::append(LogAppend append) {
  const std::lock_guard lock(mutex_);
  if (!running_) {
    const int error = start_detached_thread<&LogCommitter::run>(shared_from_this());
    if (error != 0) return error;
    running_ = true;
  }
  waiting_.push_back(std::move(append));
  changed_.notify_one();
  return 0;
}

LogCancel LogCommitter::cancel(const LogListener& listener, uint32_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const LogAppend& append) {
    return append.id == id && append.listener.get() == &listener;
  });
  if (found == waiting_.end()) return LogCancel::kTooLate;
  waiting_.erase(found);
  return is_writing_ ? LogCancel::kAwaitedWrite : LogCancel::kAwaitedLock;
}

void LogCommitter::run() {
  pthread_setname_np(pthread_self(), "episcope-log");
  std::unique_lock lock(mutex_);
  while (changed_.wait_for(lock, kLinger, [this] { return !waiting_.empty(); })) {
    lock.unlock();
    const LogFailure not_locked = log_.lock();
    lock.lock();
    is_writing_ = !not_locked;
    std::deque<LogAppend> batch;
    batch.swap(waiting_);
    lock.unlock();
    if (not_locked) {
      for (const LogAppend& each : batch) {
        each.listener->append_done(each.id, not_locked);
      }
    } else {
      commit(std::move(batch));
    }
    lock.lock();
    is_writing_ = false;
  }
  log_.close();
  running_ = false;
}

void LogCommitter::commit(std::deque<LogAppend> batch) {
  std::vector<LogLine> lines;
  lines.reserve(batch.size());
  for (const LogAppend& each : batch) lines.push_back({each.text, each.rotate_bytes});
  LogFailure failure;
  size_t durable = 0;
  if (!lines.empty()) durable = log_.append(lines, failure);
  log_.unlock();
  for (size_t i = 0; i < batch.size(); i++) {
    batch[i].listener->append_done(batch[i].id, i < durable ? LogFailure{} : failure);
  }
}

}  // namespace episcope
