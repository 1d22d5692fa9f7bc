// Lists an open directory by getdents64 with a buffer on the stack, because readdir allocates.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "owned_descriptor.h"

namespace episcope {

/// Calls `each(name, type)` (type: DT_DIR, DT_UNKNOWN, …) for every entry except `.` and `..`.
/// Returns false if the directory could not be read to its end.
template <typename Each>
bool for_each_entry(int dirfd, Each each) {
  // struct linux_dirent64 of getdents64(2): u64 ino, i64 off, u16 reclen, u8 type, name.
  constexpr size_t kLengthAt = 16;
  constexpr size_t kTypeAt = 18;
  constexpr size_t kNameAt = 19;
  alignas(uint64_t) char entries[4096];
  for (;;) {
    const long size = syscall(SYS_getdents64, dirfd, entries, sizeof entries);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0;
    for (size_t at = 0; at < static_cast<size_t>(size);) {
      uint16_t length;
      std::memcpy(&length, entries + at + kLengthAt, sizeof length);
      const char* name = entries + at + kNameAt;
      const auto type = static_cast<unsigned char>(entries[at + kTypeAt]);
      if (std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0) each(name, type);
      at += length;
    }
  }
}

/// Calls `each(name)` for every subdirectory. Returns 0, or an errno if not all of them could be
/// listed.
template <typename Each>
int for_each_subdirectory(int dirfd, Each each) {
  struct stat status {};
  if (fstat(dirfd, &status) != 0) return errno;
  // Only its own entry and its `.`: no subdirectory, so no need to list some sixty files.
  if (status.st_nlink == 2) return 0;
  const OwnedDescriptor list(openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!list.is_open()) return errno;
  const bool listed = for_each_entry(list.get(), [&](const char* name, unsigned char type) {
    struct stat entry {};
    const bool is_directory =
        type == DT_UNKNOWN
            ? fstatat(dirfd, name, &entry, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(entry.st_mode)
            : type == DT_DIR;
    if (is_directory) each(name);
  });
  return listed ? 0 : EIO;
}

}  // namespace episcope
