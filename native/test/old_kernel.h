// This kernel, as an older one.
#pragma once

namespace episcope::test {

/// From now on openat2 and pidfd_open are not known to this process, as on Linux before 5.3. False
/// where no seccomp filter may be set.
bool forget_new_system_calls();

/// From now on this system call does nothing but fail so. False where the process may not filter.
bool fail_system_call(long number, int error_number);

}  // namespace episcope::test
