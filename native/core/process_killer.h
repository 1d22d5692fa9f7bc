// Kills everything of an episode: by its cgroup where the kernel does that at once, else process by
// process, stopped first so that nobody forks behind the killer's back.
#pragma once

#include <cstdint>
#include <vector>

namespace episcope {

/// A process by its pid and starttime (ticks): another process of that number is not it.
struct KnownProcess {
  int pid = 0;
  uint64_t starttime = 0;
};

struct KillPlan {
  /// The episode's cgroup, an open directory that is the caller's; −1: none.
  int cgroup_fd = -1;
  /// Members of the episode. Their descendants are its too.
  std::vector<KnownProcess> processes;
  /// Whose descendants are the episode's too, and who are not killed themselves.
  std::vector<int> reapers;
  /// False: the pids are those of a fixture or of a foreign procfs, and nothing is signalled.
  bool may_signal = true;
};

/// Kills everything of the plan, but never the calling process nor pid 1.
///
/// `cgroup.kill` (Linux 5.14) is the whole answer where it can be written and the caller is not in
/// that cgroup: the kernel has been told then, and `populated 0` tells that it is done. Else the
/// members that the cgroup lists, the processes of the plan and all that descends from those or
/// from the reapers are stopped until nobody new appears, then killed, and waited for until they
/// have ended. A process that only parentage links to the episode is out of reach once its parent
/// ended, unless a reaper of the plan got it.
///
/// 0 when all that was found has ended: it is gone, or a zombie without threads. EPERM: some may
/// not be signalled by us, and live on; the others were killed all the same. EAGAIN: a list could
/// not be read whole, or others kept appearing. ETIMEDOUT: some got their SIGKILL and hang in the
/// kernel. After these two the plan knows everybody who was found and has not ended, so that a call
/// with the same plan goes on. Without `may_signal` what `cgroup.kill` said, 0 without a cgroup.
/// Where /proc is not the procfs of our own pid namespace nobody is signalled: ENXIO, or ENOENT.
///
/// Blocks: mostly some ms; at worst some 100 ms with processes that hang in the kernel, and some
/// seconds on a machine so busy that what is to stop or to die does not get a cpu.
int kill_everything(KillPlan& plan);

}  // namespace episcope
