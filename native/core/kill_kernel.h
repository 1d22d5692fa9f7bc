// The kernel operations that the process killer needs. Its rules are tested with a scripted kernel
// instead.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "parse_proc.h"

namespace episcope {

enum class Sight {
  kSeen,
  kGone,
  kUnreadable,  // it may be alive: /proc hides it, or no descriptor was left
};

/// How far a process is from standing still.
enum class Rest { kStopped, kBlocked, kRunning };

/// A process that is held by more than its pid if the kernel supports it: a signal then reaches
/// only the process that look() has seen.
class HeldProcess {
 public:
  virtual ~HeldProcess() = default;
  /// Reads /proc/<pid>/stat.
  virtual Sight look(ProcStat& stat) = 0;
  /// Returns 0 or an errno.
  virtual int signal(int signo) = 0;
  /// Considers all threads: the first one may have stopped before the others, or ended before them.
  virtual Rest rest(const ProcStat& stat) = 0;
  /// Appends the children of all threads. Returns false if the list may lack some.
  virtual bool append_children(std::vector<int>& pids) = 0;
};

class KillKernel {
 public:
  virtual ~KillKernel() = default;

  virtual uint64_t now_ms() = 0;
  virtual void pause_ms(uint32_t ms) = 0;
  virtual int own_pid() = 0;

  /// Returns 0, or the errno that explains why the pids in /proc are not those that kill(2) takes.
  virtual int why_foreign() = 0;
  /// Appends every pid in /proc. Returns false if some may be missing.
  virtual bool append_processes(std::vector<int>& pids) = 0;
  virtual std::unique_ptr<HeldProcess> hold(int pid) = 0;
  /// Reads /proc/<pid>/stat without holding the process.
  virtual Sight look(int pid, ProcStat& stat) = 0;
  /// The pid of the process that the thread belongs to, or 0.
  virtual int process_of_thread(int tid) = 0;

  /// Writes cgroup.kill unless this process is in the cgroup. Returns 0 or an errno.
  virtual int kill_cgroup() = 0;
  /// Returns `populated` of cgroup.events, or false if it cannot be read.
  virtual bool is_populated() = 0;
  /// Appends the ids in `file` (cgroup.procs or cgroup.threads) of the cgroup and of those below
  /// it. Returns false if some may be missing.
  virtual bool append_listed(const char* file, std::vector<int>& ids) = 0;
};

/// The running kernel: /proc, pidfds, and the files of the cgroup. `cgroup_fd` is an open directory
/// that the caller owns, or −1.
std::unique_ptr<KillKernel> linux_kill_kernel(int cgroup_fd);

}  // namespace episcope
