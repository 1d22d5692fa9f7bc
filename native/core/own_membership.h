// Whether a cgroup contains the calling process: a process that froze itself could not thaw itself,
// and one that killed itself could not report it.
#pragma once

namespace episcope {

/// Returns why the cgroup of this directory must not be frozen or killed. EBUSY: it, or a cgroup
/// below it, contains the calling process or one of its threads; any other errno: that could not be
/// read. 0 if it does not, or is gone. Reads the kernel's lists, which name this process whatever
/// path, mount or cgroup namespace led to the directory.
int why_not_stopped(int dirfd);

}  // namespace episcope
