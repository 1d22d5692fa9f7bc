// Group commit: as the lines were appended, off the caller's thread, and never after it was
// cancelled.
#include "../core/log_committer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "temp_tree.h"
#include "wait.h"

namespace episcope {
namespace {

using test::TempTree;

class Ends final : public LogListener {
 public:
  void append_done(uint32_t id, const LogFailure& failure) override {
    const std::lock_guard lock(mutex_);
    results_[id] = failure;
    order_.push_back(id);
    changed_.notify_all();
  }

  std::vector<uint32_t> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return order_.size() >= count; });
    return order_;
  }

  std::optional<LogFailure> result_of(uint32_t id) {
    const std::lock_guard lock(mutex_);
    return results_.contains(id) ? std::optional(results_[id]) : std::nullopt;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint32_t, LogFailure> results_;
  std::vector<uint32_t> order_;
};

struct Committing {
  explicit Committing(const TempTree& tree)
      : path(tree.path("log")), committer(std::make_shared<LogCommitter>(path, path + ".lock")) {}

  int append(uint32_t id, uint64_t rotate_bytes = 1 << 30) const {
    return committer->append({"{\"n\":" + std::to_string(id) + "}\n", rotate_bytes, id, ends});
  }

  LogCancel cancel(uint32_t id) const { return committer->cancel(*ends, id); }

  std::string text() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const std::string path;
  const std::shared_ptr<Ends> ends = std::make_shared<Ends>();
  std::shared_ptr<LogCommitter> committer;
};

/// The lock, as another process has it.
class HeldLock {
 public:
  explicit HeldLock(const std::string& path)
      : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    CHECK(flock(fd_, LOCK_EX) == 0);
  }
  ~HeldLock() { close(fd_); }

 private:
  int fd_;
};

TEST(log_committer_writes_in_the_order_of_the_appends) {
  const TempTree tree;
  const Committing log(tree);
  std::string expected;
  for (uint32_t id = 0; id < 500; id++) {
    CHECK_EQUAL(log.append(id), 0);
    expected += "{\"n\":" + std::to_string(id) + "}\n";
  }
  const std::vector<uint32_t> order = log.ends->wait_for(500);
  for (uint32_t id = 0; id < 500; id++) {
    CHECK_EQUAL(order[id], id);
    const auto failure = log.ends->result_of(id);
    CHECK(failure && !*failure);
  }
  CHECK(log.text() == expected);
}

TEST(log_committer_serves_threads_each_in_its_order) {
  const TempTree tree;
  const Committing log(tree);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 4; i++) {
    threads.emplace_back([&log, i] {
      for (uint32_t n = 0; n < 100; n++) log.append(i * 100 + n);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<uint32_t> order = log.ends->wait_for(400);
  uint32_t next[4] = {0, 100, 200, 300};
  for (const uint32_t id : order) CHECK_EQUAL(id, next[id / 100]++);
}

TEST(log_committer_waits_for_the_lock_and_what_is_cancelled_is_never_written) {
  const TempTree tree;
  const Committing log(tree);
  auto held = std::make_unique<HeldLock>(log.path + ".lock");
  CHECK_EQUAL(log.append(1), 0);
  CHECK_EQUAL(log.append(2), 0);
  CHECK_EQUAL(log.append(3), 0);
  // Also before the thread has come to the lock.
  CHECK(log.cancel(2) == LogCancel::kAwaitedLock);
  CHECK(log.cancel(2) == LogCancel::kTooLate);
  CHECK(!log.ends->result_of(1));
  held.reset();
  log.ends->wait_for(2);
  CHECK(log.text() == "{\"n\":1}\n{\"n\":3}\n");
  CHECK(log.cancel(1) == LogCancel::kTooLate);
}

/// Keeps the thread where it tells that an append is written.
class HeldEnd final : public LogListener {
 public:
  void append_done(uint32_t, const LogFailure&) override {
    std::unique_lock lock(mutex_);
    told_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return released_; });
  }

  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return told_; });
  }

  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool told_ = false;
  bool released_ = false;
};

TEST(log_committer_tells_that_an_earlier_write_was_waited_for) {
  const TempTree tree;
  const Committing log(tree);
  const auto held = std::make_shared<HeldEnd>();
  CHECK_EQUAL(log.committer->append({"{}\n", 1 << 30, 1, held}), 0);
  held->wait();
  log.append(2);
  CHECK(log.cancel(2) == LogCancel::kAwaitedWrite);
  held->release();
  log.append(3);
  log.ends->wait_for(1);
  CHECK(log.text() == "{}\n{\"n\":3}\n");
}

TEST(log_committer_may_be_dropped_while_it_waits) {
  const TempTree tree;
  Committing log(tree);
  auto held = std::make_unique<HeldLock>(log.path + ".lock");
  CHECK_EQUAL(log.append(1), 0);
  log.committer.reset();
  held.reset();
  CHECK_EQUAL(log.ends->wait_for(1).size(), 1);
  CHECK(log.text() == "{\"n\":1}\n");
}

TEST(log_committer_lets_go_of_thread_and_files_and_comes_back) {
  const TempTree tree;
  const Committing log(tree);
  const std::weak_ptr<LogCommitter> weak = log.committer;
  log.append(1);
  log.ends->wait_for(1);
  // The thread has a reference of its own.
  CHECK(test::wait_until([&] { return weak.use_count() == 1; }));
  log.append(2);
  log.ends->wait_for(2);
  CHECK(log.text() == "{\"n\":1}\n{\"n\":2}\n");
}

TEST(log_committer_is_one_for_each_log_of_the_process) {
  const TempTree tree;
  const std::string path = tree.path("log");
  auto first = LogCommitter::at(path, path + ".lock");
  CHECK(LogCommitter::at(path, path + ".lock") == first);
  CHECK(LogCommitter::at(path, path + ".other") != first);
  auto held = std::make_unique<HeldLock>(path + ".lock");
  const auto ends = std::make_shared<Ends>();
  first->append({"{}\n", 1, 1, ends});
  // While it waits for the lock it is there for whoever comes next, though nobody holds it.
  const LogCommitter* const waiting = first.get();
  first.reset();
  CHECK(LogCommitter::at(path, path + ".lock").get() == waiting);
  held.reset();
  ends->wait_for(1);
}

TEST(log_committer_cancels_an_append_of_the_one_who_asks) {
  const TempTree tree;
  const Committing log(tree);
  auto held = std::make_unique<HeldLock>(log.path + ".lock");
  const auto others = std::make_shared<Ends>();
  // Ids are each listener's own.
  log.append(1);
  log.committer->append({"{\"other\":1}\n", 1 << 30, 1, others});
  CHECK(log.committer->cancel(*others, 1) != LogCancel::kTooLate);
  held.reset();
  log.ends->wait_for(1);
  CHECK(log.text() == "{\"n\":1}\n");
}

TEST(log_committer_tells_each_append_what_failed) {
  const TempTree tree;
  tree.make_directory("log");
  const Committing log(tree);
  log.append(1);
  log.append(2);
  log.ends->wait_for(2);
  for (const uint32_t id : {1, 2}) {
    const auto failure = log.ends->result_of(id);
    CHECK(failure && failure->fault == LogFault::kErrno && failure->file == LogFile::kEvents);
    CHECK_EQUAL(failure->error_number, EISDIR);
  }
}

}  // namespace
}  // namespace episcope
