// Whether a cgroup contains the calling process: a process that froze itself could not thaw itself,
// and one that killed itself could not report it.
#pragma once

namespace episcope {

/// Returns why the cgroup of this directory must not be frozen or killed, or 0 if it may be or is
/// gone. EBUSY: it, or a cgroup below it, contains the calling process or one of its threads. Any
/// other errno: that could not be read. Reads the kernel's lists, which contain this process by
/// whatever path, mount or cgroup namespace the directory was opened.
int why_not_stopped(int dirfd);

}  // namespace episcope
