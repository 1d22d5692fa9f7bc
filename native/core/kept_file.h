// One kernel file, opened once and read by pread at offset 0 into a preallocated buffer.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "limits.h"

namespace episcope {

/// Where a file's text lands. One per thread of readers, shared by all of them: a read is parsed
/// before the next.
struct ReadBuffer {
  char bytes[kMaxTelemetryFileSize];
  size_t size = 0;
};

enum class ReadStatus {
  kOk,
  kAbsent,    // ENOENT at the open
  kDead,      // ENODEV (cgroup file) or ESRCH (/proc file) at the read
  kTooLarge,  // more than 64 KiB
  kError,     // any other errno
};

struct ReadResult {
  ReadStatus status = ReadStatus::kOk;
  int error_number = 0;
};

/// The kernel's pread, or what a test puts in its place.
using Pread = ssize_t (*)(int fd, void* bytes, size_t size, off_t offset);

/// Reads from offset 0 to the end of the text: retries EINTR, goes on after a short read, and looks
/// one byte behind a full buffer. `size` is what landed in `bytes`, 0 after kDead and kError.
ReadResult read_whole(int fd, char* bytes, size_t capacity, size_t& size, Pread pread_once);

/// Opens, reads and closes a file that is not worth a kept descriptor.
ReadResult read_once(int dirfd, const char* path, ReadBuffer& buffer);

/// Counts kept descriptors of the process against half of RLIMIT_NOFILE. Thread-safe.
class DescriptorBudget {
 public:
  /// True and counted when one more descriptor may be kept.
  static bool take();
  /// Counts a descriptor that is needed whatever the budget says.
  static void take_always();
  static void give_back();
  static int kept();
};

/// The file keeps its descriptor while the budget allows, and is opened for each read beyond it. A
/// file that is not the kernel's (a fixture, a recorded tree) is opened for each read, because a
/// descriptor of it would go on reading what was deleted or replaced.
class KeptFile {
 public:
  KeptFile() = default;
  explicit KeptFile(const char* name, bool is_kernels = true)
      : name_(name), is_kernels_(is_kernels) {}
  KeptFile(const KeptFile&) = delete;
  KeptFile& operator=(const KeptFile&) = delete;
  KeptFile(KeptFile&& other) noexcept;
  KeptFile& operator=(KeptFile&& other) noexcept;
  ~KeptFile() { close(); }

  /// Reads the whole file, relative to `dirfd`. Retries EINTR and short reads; never follows a
  /// symlink. After kDead the descriptor is closed, so that the next read opens anew.
  ReadResult read(int dirfd, ReadBuffer& buffer);
  /// The same into `capacity` bytes of the caller's; a longer text is kTooLarge.
  ReadResult read(int dirfd, char* bytes, size_t capacity, size_t& size);
  void close();
  const char* name() const { return name_; }
  int fd() const { return fd_; }

 private:
  const char* name_ = "";  // a literal
  bool is_kernels_ = true;
  int fd_ = -1;
};

}  // namespace episcope
