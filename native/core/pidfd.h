// Descriptors of processes.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include "owned_descriptor.h"

namespace episcope {

/// Opens a pidfd. On failure the result is not open and errno is set: no such process, a kernel
/// before Linux 5.3, a seccomp filter that forbids it, or no descriptor is left.
inline OwnedDescriptor open_pidfd(int pid) {
  constexpr long kPidfdOpen = 434;  // SYS_pidfd_open, which older headers lack
  return OwnedDescriptor(static_cast<int>(syscall(kPidfdOpen, pid, 0u)));
}

}  // namespace episcope
