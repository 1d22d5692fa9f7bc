#include "cgroup_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "open_beneath.h"

namespace episcope {
namespace {

/// A path without `..`, at most 4096 bytes. Drops `.` and empty components.
struct PlainPath {
  char bytes[kMaxCgroupPathLen + 2] = {};
  bool ok = false;

  PlainPath(const char* path, bool absolute) {
    const std::string_view text(path);
    if (text.size() > kMaxCgroupPathLen) return;
    size_t size = 0;
    if (absolute) bytes[size++] = '/';
    for (size_t at = 0; at < text.size();) {
      const size_t slash = text.find('/', at);
      const size_t end = slash == std::string_view::npos ? text.size() : slash;
      const std::string_view component = text.substr(at, end - at);
      at = end + 1;
      if (component.empty() || component == ".") continue;
      if (component == "..") return;
      if (size > 0 && bytes[size - 1] != '/') bytes[size++] = '/';
      std::memcpy(bytes + size, component.data(), component.size());
      size += component.size();
    }
    if (size == 0) bytes[size++] = '.';
    ok = true;
  }
};

int open_directory(int dirfd, PlainPath& path, uint64_t resolve) {
  return open_directory_without_links(dirfd, path.bytes, resolve);
}

ReadFailure failed(ReadCode code, int error_number = 0) {
  ReadFailure failure;
  failure.code = code;
  failure.error_number = error_number;
  return failure;
}

ReadFailure from_errno(int error_number) {
  switch (error_number) {
    case ELOOP:
    case ENOTDIR:
      return failed(ReadCode::kCgroupPath, error_number);
    case ENOENT:
      return failed(ReadCode::kCgroupNotFound, error_number);
    default:
      return failed(ReadCode::kCgroupRead, error_number);
  }
}

ReadFailure ask_file_system(int fd, bool& is_cgroupfs) {
  struct statfs file_system {};
  if (fstatfs(fd, &file_system) != 0) return from_errno(errno);
  is_cgroupfs = static_cast<unsigned long>(file_system.f_type) == kCgroup2SuperMagic;
  return {};
}

}  // namespace

ReadFailure open_cgroup_directory(const char* root, const char* path, bool require_cgroupfs,
                                  int& dirfd, bool& is_cgroupfs) {
  PlainPath plain_root(root, true);
  PlainPath plain_path(path, false);
  if (root[0] != '/' || !plain_root.ok || !plain_path.ok) return failed(ReadCode::kCgroupPath);

  const int rootfd = open_directory(AT_FDCWD, plain_root, 0);
  if (rootfd < 0) return from_errno(errno);
  // Checked before the path: a path missing beneath a foreign root is not a missing cgroup.
  if (require_cgroupfs) {
    bool root_is_cgroupfs = false;
    ReadFailure failure = ask_file_system(rootfd, root_is_cgroupfs);
    if (!failure && !root_is_cgroupfs) failure = failed(ReadCode::kNotCgroup2);
    if (failure) {
      close(rootfd);
      return failure;
    }
  }
  const int fd = open_directory(rootfd, plain_path, kResolveBeneath);
  const int error_number = errno;
  close(rootfd);
  if (fd < 0) return from_errno(error_number);

  ReadFailure failure = ask_file_system(fd, is_cgroupfs);
  if (!failure && require_cgroupfs && !is_cgroupfs) failure = failed(ReadCode::kNotCgroup2);
  if (failure) {
    close(fd);
    return failure;
  }
  dirfd = fd;
  return {};
}

bool cgroup_directory_is_gone(int dirfd, bool is_cgroupfs) {
  struct stat status {};
  if (is_cgroupfs) {
    // kernfs keeps the link count of a removed directory, but lookups in it fail.
    return fstatat(dirfd, "cgroup.controllers", &status, AT_SYMLINK_NOFOLLOW) != 0 &&
           errno == ENOENT;
  }
  return fstat(dirfd, &status) == 0 && status.st_nlink == 0;
}

}  // namespace episcope
