#include "cgroup_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

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

ReadFailure failed(ReadCode code, int error_number = 0) {
  return {.code = code, .error_number = error_number};
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

ReadFailure check_file_system(int fd, bool require_cgroupfs, bool& is_cgroupfs) {
  struct statfs file_system {};
  if (fstatfs(fd, &file_system) != 0) return from_errno(errno);
  is_cgroupfs = static_cast<unsigned long>(file_system.f_type) == kCgroup2SuperMagic;
  return require_cgroupfs && !is_cgroupfs ? failed(ReadCode::kNotCgroup2) : ReadFailure{};
}

}  // namespace

ReadFailure open_cgroup_directory(const char* root, const char* path, bool require_cgroupfs,
                                  OwnedDescriptor& directory, bool& is_cgroupfs) {
  PlainPath plain_root(root, true);
  PlainPath plain_path(path, false);
  if (root[0] != '/' || !plain_root.ok || !plain_path.ok) return failed(ReadCode::kCgroupPath);

  const OwnedDescriptor opened_root(open_directory_without_links(AT_FDCWD, plain_root.bytes, 0));
  if (!opened_root.is_open()) return from_errno(errno);
  // Checked before the path: a path that is missing beneath a foreign root is not a missing cgroup.
  ReadFailure failure = check_file_system(opened_root.get(), require_cgroupfs, is_cgroupfs);
  if (failure) return failure;
  OwnedDescriptor opened(
      open_directory_without_links(opened_root.get(), plain_path.bytes, kResolveBeneath));
  if (!opened.is_open()) return from_errno(errno);
  failure = check_file_system(opened.get(), require_cgroupfs, is_cgroupfs);
  if (!failure) directory = std::move(opened);
  return failure;
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
