// Lists an open directory by getdents64 with a buffer on the stack, because readdir allocates.
#pragma once

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

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

}  // namespace episcope
