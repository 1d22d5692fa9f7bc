// Whether a cgroup holds the calling process: who froze itself could not thaw again, and who killed
// itself could not tell.
#pragma once

namespace episcope {

/// Why the cgroup of this directory must not be frozen or killed: EBUSY, it or one below it holds
/// the calling process (or a thread of it); any other errno, it cannot be read whether it does. 0
/// where it does not, or is gone. By the lists of the kernel, which name this process whatever
/// path, mount or cgroup namespace led to the directory.
int why_not_stopped(int dirfd);

}  // namespace episcope
