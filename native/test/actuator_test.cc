#include "../core/actuator.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "child.h"
#include "temp_tree.h"
#include "wait.h"

using episcope::Action;
using episcope::ActionListener;
using episcope::ActionQueue;
using episcope::Actuator;
using episcope::KillPlan;
using episcope::OwnedDescriptor;
using episcope::OwnedKillPlan;
using episcope::test::Child;
using episcope::test::TempTree;

namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

struct Done {
  uint32_t id;
  int error_number;
};

class Results final : public ActionListener {
 public:
  void action_done(uint32_t id, int error_number) override {
    const std::lock_guard lock(mutex_);
    done_.push_back({id, error_number});
    changed_.notify_all();
  }

  /// What was told, once it is that many.
  std::vector<Done> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_.size() >= count; });
    return done_;
  }

  size_t count() {
    const std::lock_guard lock(mutex_);
    return done_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Done> done_;
};

/// An actuator that runs, and who listens to it.
struct Running {
  Running() { CHECK_EQUAL(actuator.start(), 0); }
  ~Running() { CHECK(actuator.stop(10 * kSecondNs)); }

  void write(const std::string& directory, const std::string& file, const std::string& text) {
    actuator.add({directory, file, text, next_id++, results});
  }
  void remove(const std::string& directory) {
    actuator.add({directory, "", "", next_id++, results});
  }
  int last_error() { return results->wait_for(next_id).back().error_number; }

  std::shared_ptr<Results> results = std::make_shared<Results>();
  uint32_t next_id = 0;
  Actuator actuator;
};

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// A writer's open waits there for a reader, as some writes to a cgroup wait for the kernel.
std::string make_fifo(const TempTree& tree, const std::string& name) {
  const std::string path = tree.path(name);
  CHECK_EQUAL(mkfifo(path.c_str(), 0600), 0);
  return path;
}

/// `SigBlk` of the thread of that name; 0 where there is none.
uint64_t blocked_signals(const std::string& name) {
  DIR* tasks = opendir("/proc/self/task");
  uint64_t blocked = 0;
  while (const dirent* entry = readdir(tasks)) {
    const std::string task = std::string("/proc/self/task/") + entry->d_name;
    if (contents(task + "/comm") != name + "\n") continue;
    std::istringstream status(contents(task + "/status"));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("SigBlk:")) blocked = std::stoull(line.substr(7), nullptr, 16);
    }
  }
  closedir(tasks);
  return blocked;
}

}  // namespace

TEST(an_action_writes_its_text_in_one_write_and_truncates_nothing) {
  TempTree tree;
  tree.write("cgroup.kill", "....");
  Running running;
  running.write(tree.root(), "cgroup.kill", "1");
  CHECK_EQUAL(running.last_error(), 0);
  CHECK(contents(tree.path("cgroup.kill")) == "1...");
}

TEST(actions_are_done_and_told_in_the_order_they_came) {
  TempTree tree;
  Running running;
  for (int i = 0; i < 100; i++) {
    tree.make_directory("d" + std::to_string(i));
    running.remove(tree.path("d" + std::to_string(i)));
  }
  const std::vector<Done> done = running.results->wait_for(100);
  for (uint32_t i = 0; i < 100; i++) {
    CHECK_EQUAL(done[i].id, i);
    CHECK_EQUAL(done[i].error_number, 0);
  }
}

TEST(the_errno_of_an_action_comes_back) {
  TempTree tree;
  tree.write("full/inside", "");
  Running running;
  running.write(tree.root(), "cgroup.freeze", "1");
  CHECK_EQUAL(running.last_error(), ENOENT);
  running.remove(tree.path("full"));
  CHECK_EQUAL(running.last_error(), ENOTEMPTY);
  running.remove(tree.path("gone"));
  CHECK_EQUAL(running.last_error(), ENOENT);
}

TEST(a_symlink_in_the_place_of_the_file_is_not_followed) {
  TempTree tree;
  tree.write("elsewhere", "0");
  CHECK_EQUAL(symlink("elsewhere", tree.path("cgroup.kill").c_str()), 0);
  Running running;
  running.write(tree.root(), "cgroup.kill", "1");
  CHECK_EQUAL(running.last_error(), ELOOP);
  CHECK(contents(tree.path("elsewhere")) == "0");
}

TEST(the_write_of_a_memory_limit_does_not_wait) {
  TempTree tree;
  make_fifo(tree, "memory.high");
  Running running;
  running.write(tree.root(), "memory.high", "4096");
  CHECK_EQUAL(running.last_error(), ENXIO);
}

TEST(the_actuator_blocks_all_signals) {
  TempTree tree;
  Running running;
  running.remove(tree.path("gone"));
  running.results->wait_for(1);
  const uint64_t blocked = blocked_signals("episcope-act");
  for (const int signo : {SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGPROF, SIGHUP}) {
    CHECK((blocked >> (signo - 1) & 1) != 0);
  }
  sigset_t own;
  sigemptyset(&own);
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  CHECK(sigismember(&own, SIGTERM) == 0);
}

TEST(stop_lets_it_do_what_was_added) {
  TempTree tree;
  tree.make_directory("leaf");
  auto results = std::make_shared<Results>();
  Actuator actuator;
  CHECK_EQUAL(actuator.start(), 0);
  actuator.add({tree.path("leaf"), "", "", 1, results});
  CHECK(actuator.stop(10 * kSecondNs));
  CHECK_EQUAL(results->count(), 1);
  CHECK(access(tree.path("leaf").c_str(), F_OK) != 0);
}

TEST(an_action_that_stalls_bounds_the_stop_and_is_left_behind) {
  TempTree tree;
  const std::string fifo = make_fifo(tree, "cgroup.freeze");
  auto results = std::make_shared<Results>();
  {
    Actuator actuator;
    CHECK_EQUAL(actuator.start(), 0);
    actuator.add({tree.root(), "cgroup.freeze", "1", 7, results});
    CHECK(!actuator.stop(1'000'000));
    CHECK_EQUAL(results->count(), 0);
  }
  // The object is gone, and the thread that it left behind goes on once the kernel lets it.
  const int reader = open(fifo.c_str(), O_RDONLY | O_CLOEXEC);
  CHECK_EQUAL(results->wait_for(1).front().error_number, 0);
  close(reader);
}

TEST(actuator_that_was_stopped_takes_no_more_actions) {
  TempTree tree;
  tree.make_directory("leaf");
  auto results = std::make_shared<Results>();
  std::shared_ptr<ActionQueue> queue;
  {
    Actuator actuator;
    CHECK_EQUAL(actuator.start(), 0);
    queue = actuator.queue();
    CHECK(queue->add({tree.path("gone"), "", "", 1, results}));
    CHECK(actuator.stop(10 * kSecondNs));
    CHECK(!actuator.add({tree.path("leaf"), "", "", 2, results}));
  }
  // Nor when it is gone.
  CHECK(!queue->add({tree.path("leaf"), "", "", 3, results}));
  CHECK_EQUAL(results->count(), 1);
  CHECK_EQUAL(results.use_count(), 1);
  CHECK_EQUAL(access(tree.path("leaf").c_str(), F_OK), 0);
}

TEST(actuator_that_never_ran_lets_go_of_what_was_added) {
  auto results = std::make_shared<Results>();
  Actuator actuator;
  CHECK(actuator.add({"/gone", "", "", 1, results}));
  CHECK(results.use_count() > 1);
  CHECK(actuator.stop(0));
  CHECK_EQUAL(results.use_count(), 1);
  CHECK_EQUAL(results->count(), 0);
}

TEST(action_by_descriptor_reaches_the_directory_that_was_opened) {
  TempTree tree;
  tree.write("leaf/cgroup.freeze", "0");
  const int fd = open(tree.path("leaf").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  OwnedDescriptor directory = OwnedDescriptor::duplicate(fd);
  CHECK(directory.get() >= 0 && directory.get() != fd);
  close(fd);
  CHECK_EQUAL(rename(tree.path("leaf").c_str(), tree.path("old").c_str()), 0);
  tree.write("leaf/cgroup.freeze", "0");
  const int number = directory.get();
  Running running;
  Action action{"", "cgroup.freeze", "1", running.next_id++, running.results};
  action.directory_fd = std::move(directory);
  CHECK(running.actuator.add(std::move(action)));
  CHECK_EQUAL(running.last_error(), 0);
  CHECK(contents(tree.path("old/cgroup.freeze")) == "1");
  CHECK(contents(tree.path("leaf/cgroup.freeze")) == "0");
  // It is closed with the action.
  CHECK(episcope::test::wait_until([number] { return fcntl(number, F_GETFD) < 0; }));
}

TEST(action_of_a_descriptor_that_could_not_be_had_fails) {
  const OwnedDescriptor none = OwnedDescriptor::duplicate(-1);
  CHECK(none.get() < 0);
  CHECK_EQUAL(errno, EBADF);
}

TEST(action_can_kill_processes_and_a_cgroup) {
  Child child([](Child& self) { return self.hear(); });
  std::istringstream stat(contents("/proc/" + std::to_string(child.pid()) + "/stat"));
  std::string word;
  for (int field = 0; field < 22; field++) stat >> word;
  Running running;
  KillPlan plan;
  plan.processes.push_back({child.pid(), std::stoull(word)});
  Action action{"", "", "", running.next_id++, running.results};
  action.kill = std::make_shared<OwnedKillPlan>(std::move(plan));
  CHECK(running.actuator.add(std::move(action)));
  CHECK_EQUAL(running.last_error(), 0);
  child.wait_for_zombie();
  CHECK_EQUAL(child.reap(), UINT64_MAX);

  TempTree tree;
  tree.write("cgroup.kill", "0");
  KillPlan of_cgroup;
  of_cgroup.cgroup_fd = open(tree.root().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  of_cgroup.may_signal = false;
  Action kill{"", "", "", running.next_id++, running.results};
  kill.kill = std::make_shared<OwnedKillPlan>(std::move(of_cgroup));
  CHECK(running.actuator.add(std::move(kill)));
  CHECK_EQUAL(running.last_error(), 0);
  CHECK(contents(tree.path("cgroup.kill")) == "1");
}
