#include "child_watch.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "limits.h"
#include "pidfd.h"

namespace episcope {
namespace {

constexpr int kPidfd = 3;  // P_PIDFD
constexpr uint64_t kKib = 1024;

/// The system call has a fifth argument, the rusage, that the libc function lacks.
bool wait_status(int pidfd, siginfo_t& info, rusage& usage) {
  constexpr int kLook = WEXITED | WNOHANG | WNOWAIT;
  long result;
  do {
    info = {};
    result = syscall(SYS_waitid, kPidfd, pidfd, &info, kLook, &usage);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

/// The first version of the struct that `PIDFD_GET_INFO` fills in, which older headers lack.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup_id;
  uint32_t numbers[11];  // pid, tgid, ppid, and eight of users and groups
  int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr unsigned long kPidfdGetInfo = _IOWR(0xFF, 11, PidfdInfo);
constexpr uint64_t kPidfdInfoExit = 1u << 3;

/// Succeeds only for a child that was reaped, since Linux 6.15.
std::optional<ChildStatus> reaped_status(int pidfd) {
  PidfdInfo info{};
  info.mask = kPidfdInfoExit;
  if (ioctl(pidfd, kPidfdGetInfo, &info) != 0 || (info.mask & kPidfdInfoExit) == 0) return {};
  ChildStatus status;
  if (WIFSIGNALED(info.exit_code)) {
    status.signal = WTERMSIG(info.exit_code);
  } else {
    status.code = WEXITSTATUS(info.exit_code);
  }
  return status;
}

uint64_t kib(long count) { return saturating_mul(static_cast<uint64_t>(count), kKib); }

uint64_t own_peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return kib(usage.ru_maxrss);
}

/// `ru_maxrss` survives exec, and before it the child shared our memory: only a value above ours,
/// and above the error of the kernel's per-cpu counters, belongs to the child.
uint64_t trusted_peak(uint64_t child_bytes, uint64_t own_bytes) {
  constexpr uint64_t kCounterError = 4 * kKib * kKib;
  const uint64_t least = saturating_add(own_bytes + own_bytes / 8, kCounterError);
  return child_bytes > least ? child_bytes : 0;
}

}  // namespace

std::shared_ptr<ChildWatch> ChildWatch::open(int pid) {
  KeptDescriptor pidfd = KeptDescriptor::within_budget(open_pidfd(pid));
  siginfo_t info{};
  rusage usage{};
  if (!pidfd.is_open() || !wait_status(pidfd.get(), info, usage)) return nullptr;
  return std::shared_ptr<ChildWatch>(new ChildWatch(std::move(pidfd), own_peak_bytes()));
}

std::optional<ChildExit> ChildWatch::exit() {
  const std::lock_guard lock(mutex_);
  if (exit_) return exit_;
  siginfo_t info{};
  rusage usage{};
  if (!wait_status(pidfd(), info, usage) || info.si_pid == 0) return {};
  ChildExit exit;
  (info.si_code == CLD_EXITED ? exit.code : exit.signal) = info.si_status;
  exit.usage = usage;
  exit.peak_bytes = trusted_peak(kib(usage.ru_maxrss), own_peak_bytes_);
  exit_ = exit;
  return exit_;
}

std::optional<ChildStatus> ChildWatch::status() {
  const std::optional<ChildExit> known = exit();
  return known ? std::optional<ChildStatus>(*known) : reaped_status(pidfd());
}

}  // namespace episcope
