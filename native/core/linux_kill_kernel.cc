#include "kill_kernel.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "cgroup_directory.h"
#include "clock.h"
#include "directory_entries.h"
#include "kept_file.h"
#include "own_membership.h"
#include "parse_cgroup.h"
#include "pidfd.h"
#include "proc_root.h"
#include "process_directory.h"

namespace episcope {
namespace {

constexpr long kPidfdSendSignal = 424;  // SYS_pidfd_send_signal, which older headers lack

Sight sight_of(const ReadFailure& failure) {
  if (!failure) return Sight::kSeen;
  return failure.code == ReadCode::kProcGone ? Sight::kGone : Sight::kUnreadable;
}

Rest rest_of(char state) {
  switch (state) {
    case 'T':
    case 't':
    case 'Z':
    case 'X':
    case 'x':
      return Rest::kStopped;
    case 'D':
      return Rest::kBlocked;
    default:
      return Rest::kRunning;
  }
}

/// The pidfd is opened before stat is read: it refers to the process that stat shows, or to one
/// that is gone.
class PinnedProcess final : public HeldProcess {
 public:
  PinnedProcess(const ProcRoot& root, ReadBuffer& buffer, int pid)
      : root_(root), buffer_(buffer), pid_(pid), pidfd_(open_pidfd(pid)) {}

  Sight look(ProcStat& stat) override {
    return sight_of(directory_.open(root_, pid_, buffer_, stat));
  }

  /// Signals by pid if the kernel has no pidfds (before Linux 5.3), a seccomp filter forbids them,
  /// or no descriptor is left: the caller has just checked which process has the pid.
  int signal(int signo) override {
    if (pidfd_.is_open()) {
      if (syscall(kPidfdSendSignal, pidfd_.get(), signo, nullptr, 0u) == 0) return 0;
      if (errno == ESRCH) return ESRCH;
    }
    return kill(pid_, signo) == 0 ? 0 : errno;
  }

  Rest rest(const ProcStat& stat) override {
    Rest rest = rest_of(stat.state);
    if (stat.num_threads <= 1) return rest;
    char path[32];
    std::snprintf(path, sizeof path, "%d/task", pid_);
    const OwnedDescriptor tasks(openat(root_.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!tasks.is_open()) return Rest::kRunning;
    const bool listed = for_each_entry(tasks.get(), [&](const char* tid, unsigned char) {
      char file[300];
      std::snprintf(file, sizeof file, "%s/stat", tid);
      ProcStat thread;
      // A thread that cannot be read has just ended.
      if (read_once(tasks.get(), file, buffer_).status != ReadStatus::kOk) return;
      if (parse_proc_stat(Text(buffer_.bytes, buffer_.size), thread)) return;
      rest = std::max(rest, rest_of(thread.state));
    });
    return listed ? rest : Rest::kRunning;
  }

  bool append_children(std::vector<int>& pids) override {
    return directory_.append_children(buffer_, pids);
  }

 private:
  const ProcRoot& root_;
  ReadBuffer& buffer_;
  const int pid_;
  const OwnedDescriptor pidfd_;
  ProcessDirectory directory_;
};

class LinuxKillKernel final : public KillKernel {
 public:
  explicit LinuxKillKernel(int cgroup_fd) : cgroup_fd_(cgroup_fd) {}

  uint64_t now_ms() override { return monotonic_ns() / 1'000'000; }

  void pause_ms(uint32_t ms) override {
    const timespec pause = {0, static_cast<long>(ms) * 1'000'000};
    nanosleep(&pause, nullptr);
  }

  int own_pid() override { return getpid(); }

  int why_foreign() override {
    root_ = open_proc_root("/proc");
    procfd_ = OwnedDescriptor(root_.fd);
    return root_.fd < 0 ? errno : root_.why_foreign();
  }

  bool append_processes(std::vector<int>& pids) override {
    const OwnedDescriptor list(openat(root_.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return list.is_open() && for_each_entry(list.get(), [&](const char* name, unsigned char) {
             int pid = 0;
             const char* end = name + std::strlen(name);
             if (std::from_chars(name, end, pid).ptr == end) pids.push_back(pid);
           });
  }

  std::unique_ptr<HeldProcess> hold(int pid) override {
    return std::make_unique<PinnedProcess>(root_, buffer_, pid);
  }

  Sight look(int pid, ProcStat& stat) override {
    ProcessDirectory process;
    return sight_of(process.open(root_, pid, buffer_, stat));
  }

  int process_of_thread(int tid) override {
    ProcessDirectory thread;
    ProcStat ignored;
    return thread.open(root_, tid, buffer_, ignored) ? 0 : thread.thread_group(buffer_);
  }

  int kill_cgroup() override {
    if (const int error = why_not_stopped(cgroup_fd_); error != 0) return error;
    const OwnedDescriptor file(
        openat(cgroup_fd_, "cgroup.kill", O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    return file.is_open() && write(file.get(), "1", 1) == 1 ? 0 : errno;
  }

  bool is_populated() override {
    CgroupEvents events;
    return read_once(cgroup_fd_, "cgroup.events", buffer_).status == ReadStatus::kOk &&
           !parse_cgroup_events(Text(buffer_.bytes, buffer_.size), events) && events.populated != 0;
  }

  bool append_listed(const char* file, std::vector<int>& ids) override {
    KeptFile list(file);
    if (list_cgroup_members(cgroup_fd_, list, buffer_, ids)) return true;
    // A cgroup that was removed meanwhile has no members.
    return faccessat(cgroup_fd_, "cgroup.procs", F_OK, 0) != 0 && errno == ENOENT;
  }

 private:
  const int cgroup_fd_;
  ReadBuffer buffer_;
  ProcRoot root_;
  OwnedDescriptor procfd_;  // of root_
};

}  // namespace

std::unique_ptr<KillKernel> linux_kill_kernel(int cgroup_fd) {
  return std::make_unique<LinuxKillKernel>(cgroup_fd);
}

}  // namespace episcope
