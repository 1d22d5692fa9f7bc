// How children of this process end, as ChildWatch tells it.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "../core/child_watch.h"
#include "../core/proc_reader.h"
#include "check.h"
#include "child.h"

namespace episcope {
namespace {

using test::Child;

constexpr uint64_t kMs = 1'000'000;

TEST(child_watch_knows_nothing_of_a_child_that_lives) {
  Child child([](Child& self) { return self.hear(); });
  const auto watch = ChildWatch::open(child.pid());
  CHECK(watch != nullptr);
  CHECK(!watch->exit());
  child.tell();
}

TEST(child_watch_tells_the_code_and_leaves_the_child_to_be_reaped) {
  Child child([](Child& self) { return self.hear(); });
  const auto watch = ChildWatch::open(child.pid());
  child.tell(7);
  child.wait_for_zombie();
  const auto exit = watch->exit();
  CHECK(exit.has_value());
  CHECK_EQUAL(exit->code, 7);
  CHECK_EQUAL(exit->signal, 0);
  CHECK_EQUAL(child.reap(), 7);
  CHECK_EQUAL(watch->exit()->code, 7);
}

TEST(child_watch_tells_a_real_time_signal) {
  Child child([](Child& self) { return self.hear(); });
  const auto watch = ChildWatch::open(child.pid());
  kill(child.pid(), SIGRTMIN);
  child.wait_for_zombie();
  CHECK_EQUAL(watch->exit()->signal, SIGRTMIN);
  CHECK_EQUAL(watch->exit()->code, 0);
}

TEST(child_watch_that_asks_after_the_reaping_learns_nothing) {
  Child child([](Child& self) { return self.hear(); });
  const auto watch = ChildWatch::open(child.pid());
  child.tell();
  child.reap();
  CHECK(!watch->exit());
}

TEST(child_watch_is_for_children_alone) {
  CHECK(ChildWatch::open(getppid()) == nullptr);
  CHECK(ChildWatch::open(getpid()) == nullptr);
}

TEST(child_watch_tells_no_peak_that_may_be_the_parents) {
  Child child([](Child&) { return 0; });
  const auto watch = ChildWatch::open(child.pid());
  child.wait_for_zombie();
  CHECK_EQUAL(watch->exit()->peak_bytes, 0);
}

struct Tree {
  ProcReader reader;
  std::unique_ptr<ReadBuffer> buffer = std::make_unique<ReadBuffer>();
  Reading out;

  explicit Tree(int pid) {
    CHECK(!reader.open({pid, "/proc", true, 0}, *buffer));
    reader.set_exit_watch(ChildWatch::open(pid));
  }
  bool has_cpu() { return (reader.read(part::kCpu | part::kIo, *buffer, out) & part::kCpu) != 0; }
  uint64_t cpu_ns() const { return out.get(word::kCpuNs); }
};

int burn_when_told(Child& self) {
  self.hear();
  test::burn_cpu(20 * kMs);
  return 0;
}

TEST(proc_tree_counts_the_end_of_its_root_to_the_last) {
  Child child(burn_when_told);
  Tree tree(child.pid());
  CHECK(tree.has_cpu());
  CHECK(tree.cpu_ns() < 20 * kMs);
  child.tell();
  child.wait_for_zombie();
  CHECK(tree.has_cpu());
  child.reap();
  CHECK(tree.has_cpu());
  CHECK(tree.cpu_ns() >= 20 * kMs - 10'000);
  CHECK_EQUAL(tree.reader.quality(0), quality::kLowerBound);
}

TEST(proc_tree_counts_an_end_that_is_all_it_reads_of_its_root) {
  Child child(burn_when_told);
  Tree tree(child.pid());
  child.tell();
  child.wait_for_zombie();
  tree.reader.root_exit();
  child.reap();
  CHECK(tree.has_cpu());
  CHECK(tree.cpu_ns() >= 20 * kMs - 10'000);
}

TEST(proc_tree_counts_children_that_no_sample_saw_by_the_end_of_their_parent) {
  Child child([](Child& self) {
    self.hear();
    const pid_t pid = fork();
    if (pid == 0) {
      test::burn_cpu(20 * kMs);
      _exit(0);
    }
    waitpid(pid, nullptr, 0);
    return 0;
  });
  Tree tree(child.pid());
  CHECK(tree.has_cpu());
  child.tell();
  child.wait_for_zombie();
  CHECK(tree.has_cpu());
  CHECK(tree.cpu_ns() >= 20 * kMs - 10'000);
}

TEST(proc_tree_whose_member_outlives_the_root_is_a_lower_bound) {
  Child child([](Child& self) {
    const pid_t orphan = fork();
    if (orphan == 0) {
      pause();
      _exit(0);
    }
    self.tell(orphan);
    return self.hear();
  });
  const pid_t orphan = child.hear();
  Tree tree(child.pid());
  CHECK(tree.has_cpu());
  child.tell();
  child.wait_for_zombie();
  tree.has_cpu();
  CHECK_EQUAL(tree.reader.quality(0), quality::kLowerBound);
  kill(orphan, SIGKILL);
}

TEST(proc_tree_whose_member_was_never_reaped_by_the_root_is_a_lower_bound) {
  Child child([](Child& self) {
    signal(SIGCHLD, SIG_IGN);  // its children are credited to nobody
    const pid_t pid = fork();
    if (pid == 0) {
      test::burn_cpu(5 * kMs);
      self.tell();
      pause();
    }
    self.hear();
    kill(pid, SIGKILL);
    while (kill(pid, 0) == 0) usleep(1000);
    return 0;
  });
  child.hear();
  Tree tree(child.pid());
  CHECK(tree.has_cpu());
  child.tell();
  child.wait_for_zombie();
  tree.has_cpu();
  CHECK_EQUAL(tree.reader.quality(0), quality::kLowerBound);
}

}  // namespace
}  // namespace episcope
