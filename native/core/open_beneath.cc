#include "open_beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "owned_descriptor.h"

namespace episcope {
namespace {

constexpr long kOpenat2 = 437;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

struct OpenHow {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};

bool is_one_component(const char* name) {
  return *name != '\0' && std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0 &&
         std::strchr(name, '/') == nullptr;
}

int fail(int fd, int error_number) {
  if (fd >= 0) close(fd);
  errno = error_number;
  return -1;
}

int open_on_same_device(int dirfd, const char* name, int flags) {
  const int fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  struct stat directory {};
  struct stat child {};
  if (fstat(dirfd, &directory) != 0 || fstat(fd, &child) != 0) return fail(fd, errno);
  return directory.st_dev == child.st_dev ? fd : fail(fd, EXDEV);
}

/// For kernels without openat2 (before Linux 5.6) and seccomp filters that do not know it: opens
/// the components one by one. A symlink is ENOTDIR here, since O_DIRECTORY applies to the link
/// itself.
int open_by_components(int dirfd, char* path) {
  char* rest = path;
  OwnedDescriptor directory;
  if (*rest == '/') {
    directory = OwnedDescriptor(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    dirfd = directory.get();
    ++rest;
  }
  for (;;) {
    char* slash = std::strchr(rest, '/');
    if (slash != nullptr) *slash = '\0';
    const char* name = *rest == '\0' ? "." : rest;
    const int flags = slash == nullptr ? kDirectoryFlags : O_PATH | O_DIRECTORY | O_CLOEXEC;
    const int next = openat(dirfd, name, flags | O_NOFOLLOW);
    if (next < 0 || slash == nullptr) return next;
    directory = OwnedDescriptor(next);
    dirfd = next;
    rest = slash + 1;
  }
}

}  // namespace

int open_with_resolve(int dirfd, const char* path, uint64_t flags, uint64_t resolve) {
  OpenHow how = {flags | O_CLOEXEC, 0, resolve | kResolveNoSymlinks | kResolveNoMagiclinks};
  long fd;
  do {
    fd = syscall(kOpenat2, dirfd, path, &how, sizeof how);
  } while (fd < 0 && errno == EINTR);
  return static_cast<int>(fd);
}

int open_directory_without_links(int dirfd, char* path, uint64_t resolve) {
  const int fd = open_with_resolve(dirfd, path, kDirectoryFlags, resolve);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) return open_by_components(dirfd, path);
  return fd;
}

int open_child(int dirfd, const char* name, int flags) {
  if (!is_one_component(name)) return fail(-1, EINVAL);
  const int fd = open_with_resolve(dirfd, name, static_cast<uint64_t>(flags),
                                   kResolveBeneath | kResolveNoXdev);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return fd;
  return open_on_same_device(dirfd, name, flags);
}

}  // namespace episcope
