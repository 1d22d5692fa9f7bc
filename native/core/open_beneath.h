// Opens with openat2: follows no symlink, and on request neither leaves the directory nor crosses a
// mount.
#pragma once

#include <cstdint>

namespace episcope {

// From <linux/openat2.h>, which older build systems lack.
constexpr uint64_t kResolveNoXdev = 0x01;
constexpr uint64_t kResolveNoMagiclinks = 0x02;
constexpr uint64_t kResolveNoSymlinks = 0x04;
constexpr uint64_t kResolveBeneath = 0x08;

/// Returns a descriptor (close-on-exec), or −1 with errno: ENOSYS before Linux 5.6, which has no
/// openat2; EPERM from a seccomp filter that does not know it.
int open_with_resolve(int dirfd, const char* path, uint64_t flags, uint64_t resolve);

/// Opens the directory at a path without `..`; −1 with errno. Without openat2 the components are
/// opened one by one and `resolve` is ignored.
int open_directory_without_links(int dirfd, char* path, uint64_t resolve);

/// Opens `name`, a single component, in the directory `dirfd`. ELOOP: it is a symlink; EXDEV: it is
/// a mount point (without openat2 only detected if it is another file system); EINVAL: more than
/// one component.
int open_child(int dirfd, const char* name, int flags);

}  // namespace episcope
