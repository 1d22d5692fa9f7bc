// Kills everything of an episode: through its cgroup if the kernel can do that, otherwise process
// by process, all of them stopped first so that none can fork unseen. The twin of
// src/kernel/process-killer.ts; test/tables/process-killer.txt holds the rules.
#pragma once

#include <cstdint>
#include <vector>

namespace episcope {

class KillKernel;

/// A process identified by its pid and starttime (ticks), since pids are reused.
struct KnownProcess {
  int pid = 0;
  uint64_t starttime = 0;
};

struct KillPlan {
  /// The episode's cgroup, an open directory that the caller owns; −1 if it has none.
  int cgroup_fd = -1;
  /// Members of the episode. Their descendants belong to it too.
  std::vector<KnownProcess> processes;
  /// Processes whose descendants belong to the episode, but which are not killed themselves.
  std::vector<int> reapers;
  /// False if the pids come from a fixture or a foreign procfs: then nothing is signalled.
  bool may_signal = true;
};

/// Kills everything of the plan, but never this process nor pid 1.
///
/// Writes `cgroup.kill` (Linux 5.14) if it can be written and this process is not in the cgroup;
/// the kernel does the rest, and `populated 0` shows that it is done. Otherwise stops the processes
/// that the cgroup lists, those of the plan, and all descendants of these and of the reapers until
/// no new ones appear, then kills them and waits until they have ended. A process that is linked to
/// the episode by parentage alone is out of reach once its parent has ended, unless a reaper of the
/// plan adopted it.
///
/// Returns 0 once all processes that were found have ended, that is, are gone or are zombies
/// without threads. EPERM: we may not signal some of them, and these live on; the others were
/// killed. EAGAIN: a list could not be read completely, or new processes kept appearing. ETIMEDOUT:
/// some received SIGKILL but hang in the kernel. The plan then contains every process that was
/// found and is not gone, so a second call with it continues. Without `may_signal` returns the
/// result of `cgroup.kill`, or 0 without a cgroup. If /proc is not the procfs of our own pid
/// namespace, signals nothing and returns ENXIO or ENOENT.
///
/// Blocks: usually some ms; some 100 ms at worst if processes hang in the kernel; up to ten seconds
/// on a machine so busy that processes get no cpu to stop or to die.
int kill_everything(KillPlan& plan);

/// The same with another kernel than the running one.
int kill_everything(KillPlan& plan, KillKernel& kernel);

}  // namespace episcope
