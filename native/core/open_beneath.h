// Opening by openat2: no symlink on the way, and where asked for nothing above and nothing mounted.
#pragma once

#include <cstdint>

namespace episcope {

// Of <linux/openat2.h>, which older systems that we are built on lack.
constexpr uint64_t kResolveNoXdev = 0x01;
constexpr uint64_t kResolveNoMagiclinks = 0x02;
constexpr uint64_t kResolveNoSymlinks = 0x04;
constexpr uint64_t kResolveBeneath = 0x08;

/// The descriptor (close-on-exec), or −1 with errno; ENOSYS before Linux 5.6, where openat2 is
/// missing, and EPERM from a seccomp filter that does not know it.
int open_with_resolve(int dirfd, const char* path, uint64_t flags, uint64_t resolve);

/// Opens the directory at a path of plain components, no `..` among them, which is taken apart
/// where openat2 is missing; −1 with errno. `resolve` is asked of openat2 only.
int open_directory_without_links(int dirfd, char* path, uint64_t resolve);

/// Opens `name`, one component, in the directory `dirfd`. ELOOP: a symlink; EXDEV: something is
/// mounted there (without openat2 only noticed where it is another file system); EINVAL: more than
/// one component.
int open_child(int dirfd, const char* name, int flags);

}  // namespace episcope
