#include "open_beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace episcope {
namespace {

constexpr long kOpenat2 = 437;

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

}  // namespace

int open_with_resolve(int dirfd, const char* path, uint64_t flags, uint64_t resolve) {
  OpenHow how = {flags | O_CLOEXEC, 0, resolve | kResolveNoSymlinks | kResolveNoMagiclinks};
  long fd;
  do {
    fd = syscall(kOpenat2, dirfd, path, &how, sizeof how);
  } while (fd < 0 && errno == EINTR);
  return static_cast<int>(fd);
}

int open_child(int dirfd, const char* name, int flags) {
  if (!is_one_component(name)) return fail(-1, EINVAL);
  const int fd = open_with_resolve(dirfd, name, static_cast<uint64_t>(flags),
                                   kResolveBeneath | kResolveNoXdev);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return fd;
  return open_on_same_device(dirfd, name, flags);
}

}  // namespace episcope
