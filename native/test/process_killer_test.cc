// Killing everything of an episode, on processes of this machine.
#include "../core/process_killer.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <fstream>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../core/parse_proc.h"
#include "check.h"
#include "child.h"
#include "leaf.h"
#include "temp_tree.h"
#include "wait.h"

namespace episcope {
namespace {

using test::Child;
using test::Leaf;
using test::TempTree;
using test::wait_until;

constexpr unsigned kNobody = 65534;

/// Another number says which step did not hold; 77: it could not be arranged here.
#define CHILD_HELD(status)                                        \
  do {                                                            \
    const int result = (status);                                  \
    if (result == 77) {                                           \
      test::skip("the kernel does not let us arrange this here"); \
    } else {                                                      \
      CHECK_EQUAL(result, 0);                                     \
    }                                                             \
  } while (false)

ProcStat stat_of(int pid) {
  std::ostringstream text;
  text << std::ifstream("/proc/" + std::to_string(pid) + "/stat").rdbuf();
  ProcStat stat;
  (void)parse_proc_stat(text.str(), stat);
  return stat;
}

KnownProcess known(int pid) { return {pid, stat_of(pid).starttime_ticks}; }

/// Not of a zombie.
bool lives(int pid) {
  const ProcStat stat = stat_of(pid);
  return stat.state != '\0' && stat.state != 'X' && (stat.state != 'Z' || stat.num_threads > 1);
}

bool dies(int pid) {
  return wait_until([pid] { return !lives(pid); });
}

/// Everything below this process is gone. Only of a subreaper.
bool all_are_reaped() {
  return wait_until([] {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    return errno == ECHILD;
  });
}

/// Its write end is the calling process's alone: whoever it forked can tell when it has ended.
class Lifeline {
 public:
  Lifeline() { CHECK_EQUAL(pipe2(ends_, O_CLOEXEC), 0); }
  /// For a forked process.
  void hold() const { close(ends_[1]); }
  bool is_cut_within(int ms) const {
    pollfd end = {ends_[0], POLLIN, 0};
    return poll(&end, 1, ms) > 0;
  }
  [[noreturn]] void wait() const {
    while (!is_cut_within(-1)) {
    }
    _exit(0);
  }

 private:
  int ends_[2];
};

/// A forked process that waits.
int fork_waiter(const Lifeline& lifeline) {
  const int pid = fork();
  if (pid != 0) return pid;
  lifeline.hold();
  lifeline.wait();
}

/// Forks on and on; most of its children do the same.
[[noreturn]] void grow(std::atomic<int>& born, const Lifeline& lifeline) {
  constexpr int kMost = 400;
  for (int i = 1;; ++i) {
    if (born >= kMost || lifeline.is_cut_within(10)) lifeline.wait();
    if (fork() != 0) continue;
    ++born;
    if (i % 3 == 0) lifeline.wait();
    i = 0;
  }
}

/// What forked processes count in together.
std::atomic<int>& shared_counter() {
  void* memory = mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return *new (memory) std::atomic<int>(0);
}

int open_directory(const std::string& path) {
  return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/// The errno of the kill of a cgroup and nothing else.
int kill_cgroup(const std::string& path, bool may_signal = true) {
  const int fd = open_directory(path);
  KillPlan plan;
  plan.cgroup_fd = fd;
  plan.may_signal = may_signal;
  const int error = kill_everything(plan);
  close(fd);
  return error;
}

int kill_tree(std::vector<KnownProcess> processes, std::vector<int> reapers = {}) {
  KillPlan plan{-1, std::move(processes), std::move(reapers), true};
  return kill_everything(plan);
}

bool become_nobody() {
  return setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 && setuid(kNobody) == 0;
}

TEST(kill_reaches_the_last_of_a_bush_that_forks_meanwhile) {
  Child isolated([](Child&) {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 77;
    const Lifeline lifeline;
    std::atomic<int>& born = shared_counter();
    const int root = fork();
    if (root == 0) {
      lifeline.hold();
      grow(born, lifeline);
    }
    if (!wait_until([&born] { return born > 60; })) return 2;
    if (kill_tree({known(root)}) != 0) return 3;
    // A survivor, whose parent is gone, is ours.
    if (!all_are_reaped()) return 4;
    return 0;
  });
  CHILD_HELD(isolated.reap());
}

TEST(kill_reaches_the_last_of_a_bush_of_a_cgroup_whose_file_may_not_be_written) {
  Leaf leaf;
  if (!leaf) return;
  Child isolated([&leaf](Child&) {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 77;
    const Lifeline lifeline;
    std::atomic<int>& born = shared_counter();
    const int root = fork();
    if (root == 0) {
      lifeline.hold();
      if (!leaf.put("cgroup.procs", "0") || !become_nobody()) _exit(1);
      grow(born, lifeline);
    }
    if (!become_nobody()) return 77;
    if (!wait_until([&born] { return born > 60; })) return 2;
    const int fd = open_directory(leaf.path());
    if (openat(fd, "cgroup.kill", O_WRONLY | O_CLOEXEC) >= 0) return 3;
    close(fd);
    if (kill_cgroup(leaf.path()) != 0) return 4;
    if (!all_are_reaped()) return 5;
    return 0;
  });
  CHILD_HELD(isolated.reap());
  CHECK(wait_until([&leaf] { return leaf.is_empty(); }));
}

TEST(kill_finds_the_orphans_that_a_reaper_of_the_plan_got) {
  Child isolated([](Child& self) {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 77;
    const Lifeline lifeline;
    Child daemon([&lifeline](Child& middle) {
      setsid();
      middle.tell(fork_waiter(lifeline));
      return middle.hear();
    });
    const int orphan = daemon.hear();
    const KnownProcess root = known(daemon.pid());
    daemon.tell();
    daemon.reap();
    // Nothing links it to the episode any more.
    if (kill_tree({root}) != 0 || !lives(orphan)) return 2;
    if (kill_tree({root}, {getpid()}) != 0 || lives(orphan)) return 3;
    self.tell(1);
    return all_are_reaped() ? 0 : 4;
  });
  CHECK_EQUAL(isolated.hear(), 1);
  CHILD_HELD(isolated.reap());
}

TEST(kill_spares_the_reaper_that_is_not_the_caller) {
  const Lifeline lifeline;
  Child reaper([&lifeline](Child& self) {
    self.tell(fork_waiter(lifeline));
    return self.hear();
  });
  const int below = reaper.hear();
  CHECK_EQUAL(kill_tree({}, {reaper.pid()}), 0);
  CHECK(!lives(below));
  CHECK(lives(reaper.pid()));
  CHECK(stat_of(reaper.pid()).state != 'T');
}

TEST(kill_takes_stopped_processes_too) {
  Child child([](Child& self) { return self.hear(); });
  CHECK_EQUAL(kill(child.pid(), SIGSTOP), 0);
  CHECK(wait_until([&child] { return stat_of(child.pid()).state == 'T'; }));
  CHECK_EQUAL(kill_tree({known(child.pid())}), 0);
  CHECK(!lives(child.pid()));
}

TEST(kill_leaves_another_process_of_the_number_alone) {
  const Lifeline lifeline;
  Child child([&lifeline](Child& self) {
    self.tell(fork_waiter(lifeline));
    return self.hear();
  });
  const int below = child.hear();
  KnownProcess earlier = known(child.pid());
  --earlier.starttime;
  CHECK_EQUAL(kill_tree({earlier}), 0);
  for (const int pid : {child.pid(), below}) {
    CHECK(lives(pid));
    CHECK(stat_of(pid).state != 'T');
  }
}

TEST(kill_spares_the_caller_that_is_the_episode) {
  Child isolated([](Child&) {
    const Lifeline lifeline;
    const int below = fork_waiter(lifeline);
    return kill_tree({known(getpid())}) == 0 && !lives(below) ? 0 : 2;
  });
  CHILD_HELD(isolated.reap());
}

TEST(kill_spares_the_caller_that_descends_from_the_episode) {
  int told[2];
  CHECK_EQUAL(pipe2(told, O_CLOEXEC), 0);
  Child root([&told](Child& self) {
    const KnownProcess parent = known(getpid());
    if (fork() == 0) {
      const int error = kill_tree({parent});
      _exit(write(told[1], &error, sizeof error) == sizeof error ? 0 : 1);
    }
    return self.hear();
  });
  close(told[1]);
  int error = -1;
  CHECK(read(told[0], &error, sizeof error) == sizeof error);
  close(told[0]);
  CHECK_EQUAL(error, 0);
  CHECK(!lives(root.pid()));
}

TEST(kill_spares_the_caller_that_is_in_the_cgroup) {
  Leaf leaf;
  if (!leaf) return;
  Child isolated([&leaf](Child&) {
    if (!leaf.put("cgroup.procs", "0")) return 77;
    const Lifeline lifeline;
    const int below = fork_waiter(lifeline);
    if (kill_cgroup(leaf.path(), false) != EBUSY || !lives(below)) return 2;
    return kill_cgroup(leaf.path()) == 0 && !lives(below) ? 0 : 3;
  });
  CHILD_HELD(isolated.reap());
}

TEST(kill_takes_a_process_whose_first_thread_ended_and_what_its_others_forked) {
  const Lifeline lifeline;
  Child child([&lifeline](Child& self) {
    std::thread([&self, &lifeline] {
      self.tell(fork_waiter(lifeline));
      self.hear();
    }).detach();
    syscall(SYS_exit, 0);
    return 0;
  });
  const int below = child.hear();
  CHECK(wait_until([&child] { return stat_of(child.pid()).state == 'Z'; }));
  CHECK(lives(child.pid()));
  CHECK_EQUAL(kill_tree({known(child.pid())}), 0);
  CHECK(!lives(child.pid()));
  CHECK(!lives(below));
}

// The parent of a vfork hangs in the kernel, and never stops while its child is stopped.
TEST(kill_does_not_wait_for_the_parent_of_a_vfork_to_stop) {
  Child child([](Child&) {
    if (syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr) == 0) {
      for (;;) pause();
    }
    return 0;
  });
  CHECK(wait_until([&child] { return stat_of(child.pid()).state == 'D'; }));
  CHECK_EQUAL(kill_tree({known(child.pid())}), 0);
  CHECK(!lives(child.pid()));
}

TEST(kill_finds_a_child_that_the_kernel_does_not_list) {
  Child isolated([](Child&) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return 77;
    const Lifeline lifeline;
    Child parent([&lifeline](Child& self) {
      self.tell(fork_waiter(lifeline));
      return self.hear();
    });
    const int below = parent.hear();
    const std::string number = std::to_string(parent.pid());
    const std::string list = "/proc/" + number + "/task/" + number + "/children";
    if (mount("/dev/null", list.c_str(), nullptr, MS_BIND, nullptr) != 0) return 77;
    if (kill_tree({known(parent.pid())}) != 0) return 2;
    return lives(below) ? 3 : 0;
  });
  CHILD_HELD(isolated.reap());
}

// Not even a SIGKILL ends what cgroup v1 has frozen.
TEST(kill_of_what_hangs_in_the_kernel_is_not_complete_until_it_has_ended) {
  const std::string group = "/sys/fs/cgroup/freezer/episcope-test-" + std::to_string(getpid());
  if (mkdir(group.c_str(), 0755) != 0) {
    test::skip("there is no freezer of cgroup v1");
    return;
  }
  const auto put = [&group](const char* file, const std::string& text) {
    std::ofstream(group + "/" + file) << text;
  };
  {
    Child child([](Child& self) { return self.hear(); });
    put("cgroup.procs", std::to_string(child.pid()));
    put("freezer.state", "FROZEN");
    CHECK(wait_until([&group] {
      std::string state;
      std::ifstream(group + "/freezer.state") >> state;
      return state == "FROZEN";
    }));
    KillPlan plan;
    plan.processes = {known(child.pid())};
    CHECK_EQUAL(kill_everything(plan), ETIMEDOUT);
    CHECK(lives(child.pid()));
    put("freezer.state", "THAWED");
    CHECK_EQUAL(kill_everything(plan), 0);
    CHECK(!lives(child.pid()));
  }
  CHECK_EQUAL(rmdir(group.c_str()), 0);
}

TEST(kill_of_nobody_is_no_failure) {
  Child child([](Child&) { return 0; });
  child.wait_for_zombie();
  const KnownProcess zombie = known(child.pid());
  CHECK_EQUAL(kill_tree({zombie}), 0);
  child.reap();
  CHECK_EQUAL(kill_tree({zombie}, {zombie.pid}), 0);
  CHECK_EQUAL(kill_tree({}), 0);
}

TEST(kill_of_a_cgroup_is_the_kernels_where_it_can) {
  Leaf leaf;
  if (!leaf) return;
  Child child([&leaf](Child& self) {
    if (!leaf.put("cgroup.procs", "0")) return 77;
    const Lifeline lifeline;
    self.tell(fork_waiter(lifeline));
    return self.hear();
  });
  const int below = child.hear();
  // Also of foreign numbers: the kernel asks for none.
  CHECK_EQUAL(kill_cgroup(leaf.path(), false), 0);
  CHECK(dies(child.pid()));
  CHECK(dies(below));
  CHECK(wait_until([&leaf] { return leaf.is_empty(); }));
}

TEST(kill_of_a_cgroup_that_is_gone_found_nobody) {
  Leaf leaf;
  if (!leaf) return;
  const int fd = open_directory(leaf.path());
  leaf.remove();
  KillPlan plan;
  plan.cgroup_fd = fd;
  CHECK_EQUAL(kill_everything(plan), 0);
  plan.may_signal = false;
  CHECK_EQUAL(kill_everything(plan), ENOENT);
  close(fd);
}

TEST(kill_of_a_cgroup_without_the_file_takes_the_listed) {
  TempTree tree;
  const Lifeline lifeline;
  const auto waiting = [](Child& self) { return self.hear(); };
  Child listed(waiting);
  Child deeper(waiting);
  Child stranger(waiting);
  const auto line = [](int pid) { return std::to_string(pid) + "\n"; };
  // The first of our pid namespace, the caller, one that is gone.
  tree.write("cgroup.procs", "1\n" + line(getpid()) + line(INT_MAX) + line(listed.pid()));
  tree.write("deeper/cgroup.procs", line(deeper.pid()));
  CHECK_EQUAL(kill_cgroup(tree.root()), 0);
  CHECK(!lives(listed.pid()));
  CHECK(!lives(deeper.pid()));
  CHECK(lives(stranger.pid()));
}

TEST(kill_tells_of_a_member_that_has_no_number_here_and_takes_the_others) {
  TempTree tree;
  Child child([](Child& self) { return self.hear(); });
  tree.write("cgroup.procs", "0\n" + std::to_string(child.pid()) + "\n");
  CHECK_EQUAL(kill_cgroup(tree.root()), EPERM);
  CHECK(!lives(child.pid()));
}

TEST(kill_signals_no_number_that_is_foreign) {
  TempTree tree;
  Child child([](Child& self) { return self.hear(); });
  tree.write("cgroup.procs", std::to_string(child.pid()) + "\n");
  CHECK_EQUAL(kill_cgroup(tree.root(), false), ENOENT);
  KillPlan plan{-1, {known(child.pid())}, {getpid()}, false};
  CHECK_EQUAL(kill_everything(plan), 0);
  CHECK(lives(child.pid()));
}

TEST(kill_signals_nobody_by_the_numbers_of_another_pid_namespace) {
  Child isolated([](Child&) {
    if (unshare(CLONE_NEWPID) != 0) return 77;
    // Its /proc is still that of the outer namespace. All that it forks ends with it.
    const int first = fork();
    if (first == 0) {
      const int below = fork();
      if (below == 0) {
        for (;;) pause();
      }
      const bool spared = kill_tree({known(below)}, {getpid()}) == ENXIO;
      _exit(spared && waitpid(below, nullptr, WNOHANG) == 0 ? 0 : 2);
    }
    int status = 0;
    return waitpid(first, &status, 0) == first && WIFEXITED(status) ? WEXITSTATUS(status) : 3;
  });
  CHILD_HELD(isolated.reap());
}

TEST(kill_of_a_cgroup_whose_list_cannot_be_read_is_not_complete) {
  TempTree tree;
  Child child([](Child& self) { return self.hear(); });
  tree.write("cgroup.procs", std::to_string(child.pid()) + "\nwhat is that\n");
  CHECK_EQUAL(kill_cgroup(tree.root()), EAGAIN);
  CHECK(!lives(child.pid()));
}

TEST(kill_tells_whom_it_may_not_signal_and_takes_the_others) {
  Child roots([](Child& self) { return self.hear(); });
  Child isolated([&roots](Child&) {
    const KnownProcess foreign = known(roots.pid());
    if (!become_nobody()) return 77;
    const Lifeline lifeline;
    const int own = fork_waiter(lifeline);
    if (kill_tree({foreign, known(own)}) != EPERM) return 2;
    return lives(own) ? 3 : 0;
  });
  CHILD_HELD(isolated.reap());
  CHECK(lives(roots.pid()));
  CHECK(stat_of(roots.pid()).state != 'T');
}

}  // namespace
}  // namespace episcope
