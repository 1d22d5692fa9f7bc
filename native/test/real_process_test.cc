// Processes of this machine: what the kernel does to descriptors, numbers and totals when they end.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../core/proc_reader.h"
#include "../core/process_directory.h"
#include "check.h"
#include "child.h"
#include "temp_tree.h"

namespace episcope {
namespace {

using test::Child;

constexpr uint64_t kMs = 1'000'000;

struct Reader {
  ProcReader reader;
  std::unique_ptr<ReadBuffer> buffer = std::make_unique<ReadBuffer>();
  Reading out;

  ReadFailure open(int pid, int reaper = 0) {
    return reader.open({pid, "/proc", true, reaper}, *buffer);
  }
  uint32_t read(uint32_t parts) { return reader.read(parts, *buffer, out); }
};

/// 77: it could not be arranged here. Another number says which step did not hold.
#define CHILD_HELD(status)                                        \
  do {                                                            \
    const int result = (status);                                  \
    if (result == 77) {                                           \
      test::skip("the kernel does not let us arrange this here"); \
    } else {                                                      \
      CHECK_EQUAL(result, 0);                                     \
    }                                                             \
  } while (false)

/// From now on this process may keep `most` descriptors: the limit is asked once, at the first use.
void allow_kept_descriptors(rlim_t most) {
  rlimit limit{};
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit low = {2 * most, limit.rlim_max};
  CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
  if (DescriptorBudget::take()) DescriptorBudget::give_back();
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

uint64_t cpu_of_reaped_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto ns = [](const timeval& time) {
    return static_cast<uint64_t>(time.tv_sec) * 1000 * kMs +
           static_cast<uint64_t>(time.tv_usec) * 1000;
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

TEST(real_process_cpu_is_its_clock_and_not_its_ticks) {
  Child child([](Child& self) {
    test::burn_cpu(3 * kMs);
    self.tell();
    return self.hear();
  });
  child.hear();
  Reader r;
  CHECK(!r.open(child.pid()));
  CHECK(r.read(part::kAll) == part::kAll);
  CHECK(r.out.get(word::kCpuNs) >= 3 * kMs);
  CHECK(r.out.get(word::kCpuNs) % kMs != 0);
  CHECK(r.out.get(word::kMemRssBytes) > 0);
  CHECK(r.reader.root_alive());
  CHECK_EQUAL(r.reader.live_members(), 1);
}

TEST(real_process_of_another_pid_namespaces_procfs_is_not_believed) {
  Child isolated([](Child&) {
    if (unshare(CLONE_NEWPID) != 0) return 77;
    // Its /proc is still that of the outer namespace.
    const int first = fork();
    if (first == 0) {
      Reader r;
      const ReadFailure failure = r.open(getpid());
      const bool refused =
          failure.code == ReadCode::kProcNotAvailable && failure.error_number == ENXIO;
      _exit(refused && !r.reader.is_open() ? 0 : 2);
    }
    int status = 0;
    return waitpid(first, &status, 0) == first && WIFEXITED(status) ? WEXITSTATUS(status) : 3;
  });
  CHILD_HELD(isolated.reap());
}

TEST(real_process_is_refused_by_a_threads_id) {
  Child child([](Child& self) {
    std::thread thread([&self] {
      self.tell(static_cast<int>(syscall(SYS_gettid)));
      self.hear();
    });
    thread.join();
    return 0;
  });
  const int tid = child.hear();
  CHECK(tid > 0 && tid != child.pid());
  Reader r;
  const ReadFailure failure = r.open(tid);
  CHECK(failure.code == ReadCode::kInvalidPid);
  CHECK_EQUAL(failure.pid, tid);
  CHECK(!r.open(child.pid()));
  CHECK_EQUAL(r.read(part::kExtra), part::kExtra);
  CHECK_EQUAL(r.out.get(word::kPids), 2);
}

TEST(real_process_that_ended_is_gone_and_its_totals_stay) {
  Child child([](Child& self) {
    test::burn_cpu(2 * kMs);
    self.tell();
    return self.hear();
  });
  child.hear();
  Reader r;
  CHECK(!r.open(child.pid()));
  CHECK_EQUAL(r.read(part::kAll), part::kAll);
  const uint64_t cpu = r.out.get(word::kCpuNs);
  child.tell();
  child.wait_for_zombie();

  CHECK(!r.reader.root_alive());
  CHECK_EQUAL(r.read(part::kAll), part::kAll);
  CHECK(r.out.get(word::kCpuNs) >= cpu);
  CHECK_EQUAL(r.out.get(word::kMemRssBytes), 0);
  CHECK_EQUAL(r.reader.live_members(), 0);

  const int pid = child.pid();
  child.reap();
  CHECK(!r.reader.root_alive());
  CHECK_EQUAL(r.read(part::kAll), 0);
  for (uint32_t index = 0; index < part::kCount; index++) {
    CHECK(r.reader.failure(index).code == ReadCode::kProcGone);
    CHECK_EQUAL(r.reader.failure(index).pid, pid);
  }
  CHECK(r.out.get(word::kCpuNs) >= cpu);
  CHECK(Reader().open(pid).code == ReadCode::kProcGone);
}

/// Reaps `child` and forks until its number is used again, at a later clock tick. False where that
/// cannot be arranged.
bool reuse_pid(Child* child, const std::function<void()>& meanwhile) {
  const int pid = child->pid();
  child->kill();
  child->reap();
  timespec before{};
  clock_gettime(CLOCK_BOOTTIME, &before);
  for (timespec now = before;
       now.tv_sec == before.tv_sec && now.tv_nsec < before.tv_nsec + 20'000'000;) {
    clock_gettime(CLOCK_BOOTTIME, &now);
  }
  for (int attempt = 0; attempt < 100; attempt++) {
    if (!test::write_file("/proc/sys/kernel/ns_last_pid", std::to_string(pid - 1))) return false;
    Child other([](Child& self) {
      test::burn_cpu(5 * kMs);
      self.tell();
      return self.hear();
    });
    if (other.pid() != pid) continue;
    other.hear();
    meanwhile();
    return true;
  }
  return false;
}

void expect_gone_after_reuse(rlim_t kept_descriptors) {
  Child isolated([kept_descriptors](Child&) {
    allow_kept_descriptors(kept_descriptors);
    Child child([](Child& self) { return self.hear(); });
    Reader r;
    if (r.open(child.pid())) return 2;
    if (r.read(part::kAll) != part::kAll) return 3;
    const uint64_t cpu = r.out.get(word::kCpuNs);
    int result = 4;
    const bool reused = reuse_pid(&child, [&] {
      const bool gone = r.read(part::kAll) == 0 && r.out.get(word::kCpuNs) == cpu;
      const bool told = r.reader.failure(0).code == ReadCode::kProcGone && !r.reader.root_alive();
      result = gone && told ? 0 : 5;
    });
    return reused ? result : 77;
  });
  CHILD_HELD(isolated.reap());
}

TEST(real_process_number_that_is_used_again_is_not_the_process) { expect_gone_after_reuse(100); }

TEST(real_process_number_used_again_is_found_out_without_kept_descriptors) {
  expect_gone_after_reuse(0);
}

// Without pidfd and kept descriptors the directory is opened for each question.
TEST(real_process_end_is_seen_without_kept_descriptors) {
  Child isolated([](Child&) {
    allow_kept_descriptors(0);
    Child child([](Child& self) { return self.hear(); });
    Reader r;
    if (r.open(child.pid())) return 2;
    if (!r.reader.root_alive()) return 3;
    ProcessDirectory directory;
    ProcStat stat;
    const int procfd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory.open({procfd, true, true}, child.pid(), *r.buffer, stat)) return 4;
    child.kill();
    child.reap();
    if (r.reader.root_alive()) return 5;
    // One that ended has no children: nothing is missing.
    std::vector<int> pids;
    if (!directory.append_children(*r.buffer, pids) || !pids.empty()) return 6;
    if (directory.read_state(stat).code != ReadCode::kProcGone) return 7;
    if (r.read(part::kAll) != 0) return 8;
    close(procfd);
    return 0;
  });
  CHILD_HELD(isolated.reap());
}

TEST(real_process_io_that_is_not_permitted_is_not_gone) {
  Child child([](Child&) {
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 1;
    Reader r;
    if (r.open(1)) return 77;
    const uint32_t got = r.read(part::kCpu | part::kIo);
    if (got == (part::kCpu | part::kIo)) return 77;
    const ReadFailure& failure = r.reader.failure(2);
    const bool told = failure.code == ReadCode::kProcRead && failure.error_number == EACCES &&
                      std::strcmp(failure.file, "io") == 0 && failure.pid == 1;
    return got == part::kCpu && told && r.reader.root_alive() ? 0 : 2;
  });
  CHILD_HELD(child.reap());
}

TEST(real_tree_of_a_subreaper_is_exact_at_its_end) {
  Child isolated([](Child&) {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 1;
    // Reaped before the baseline: does not count.
    Child earlier([](Child&) {
      test::burn_cpu(30 * kMs);
      return 0;
    });
    earlier.reap();
    const uint64_t baseline = cpu_of_reaped_children();

    Child root([](Child& self) {
      self.hear();
      // Short-lived children in sequence, seen alive or not, and at last an orphan that outlives
      // us.
      for (int i = 0; i < 5; i++) {
        Child([](Child&) {
          test::burn_cpu(4 * kMs);
          return 0;
        }).reap();
        self.tell();
        self.hear();
      }
      if (fork() == 0) {
        test::burn_cpu(10 * kMs);
        self.tell(getpid());
        self.hear();
        _exit(0);
      }
      return 0;
    });
    Reader r;
    if (r.open(root.pid(), getpid())) return 2;
    uint64_t last = 0;
    for (int i = 0; i < 5; i++) {
      root.tell();
      root.hear();
      if (r.read(part::kAll) != part::kAll) return 3;
      if (r.out.get(word::kCpuNs) < last) return 4;
      last = r.out.get(word::kCpuNs);
    }
    root.tell();
    const int orphan = root.hear();
    root.reap();
    if (r.read(part::kAll) != part::kAll || r.reader.live_members() != 1) return 5;
    if (r.reader.totals_exact() || r.reader.root_alive()) return 6;
    kill(orphan, SIGKILL);
    if (waitpid(orphan, nullptr, 0) != orphan) return 7;

    if (r.read(part::kAll) != (part::kCpu | part::kIo)) return 8;
    if (!r.reader.totals_exact() || r.reader.quality(0) != 0 || r.reader.quality(2) != 0) return 9;
    if (r.reader.failure(1).code != ReadCode::kProcGone) return 10;
    // rusage is in whole microseconds a process, the clocks that were credited are in ns.
    const uint64_t truth = cpu_of_reaped_children() - baseline;
    const uint64_t total = r.out.get(word::kCpuNs);
    return total >= truth && total - truth < 20'000 && truth >= 30 * kMs ? 0 : 11;
  });
  CHILD_HELD(isolated.reap());
}

TEST(real_tree_finds_the_child_that_a_thread_forked) {
  Child root([](Child& self) {
    std::thread thread([&self] {
      const int pid = test::fork_waiting();
      self.tell(pid);
      self.hear();
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    });
    thread.join();
    return 0;
  });
  root.hear();
  Reader r;
  CHECK(!r.open(root.pid()));
  CHECK_EQUAL(r.read(part::kAll), part::kAll);
  CHECK_EQUAL(r.reader.live_members(), 2);
  root.tell();
  root.reap();
}

TEST(real_tree_reads_right_beyond_the_descriptor_budget) {
  Child isolated([](Child&) {
    allow_kept_descriptors(8);
    Child root([](Child& self) {
      for (int i = 0; i < 6; i++) {
        test::fork_waiting();
      }
      self.tell();
      self.hear();
      return 0;
    });
    root.hear();
    Reader r;
    if (r.open(root.pid())) return 2;
    for (int i = 0; i < 3; i++) {
      if (r.read(part::kAll) != part::kAll) return 3;
      if (r.reader.live_members() != 7 || r.out.get(word::kPids) != 7) return 4;
      if (r.reader.quality(1) != 0) return 5;
      if (DescriptorBudget::kept() > 8) return 6;
    }
    r.reader.close();
    return DescriptorBudget::kept() == 0 ? 0 : 7;
  });
  CHILD_HELD(isolated.reap());
}

}  // namespace
}  // namespace episcope
