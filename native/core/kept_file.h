// A kernel file that is opened once and read with pread at offset 0 into a preallocated buffer.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include <utility>

#include "limits.h"
#include "owned_descriptor.h"

namespace episcope {

/// Receives the text of a file. All readers of a thread share one: a text is parsed before the next
/// one is read.
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

/// pread(2), or a test's replacement.
using Pread = ssize_t (*)(int fd, void* bytes, size_t size, off_t offset);

/// Reads from offset 0 to the end of the file: retries EINTR, continues after a short read, and
/// tries one more byte after a full buffer. `size` is the number of bytes read, 0 after kDead and
/// kError.
ReadResult read_whole(int fd, char* bytes, size_t capacity, size_t& size, Pread pread_once);

/// Opens, reads and closes a file that is read too rarely to keep it open.
ReadResult read_once(int dirfd, const char* path, ReadBuffer& buffer);

/// Limits the kept descriptors of the process to half of RLIMIT_NOFILE. Thread-safe.
class DescriptorBudget {
 public:
  /// Counts one more descriptor and returns true if it may be kept.
  static bool take();
  /// Counts a descriptor that is kept even beyond the budget.
  static void take_always();
  static void give_back();
  static int kept();
};

/// A descriptor that counts against the budget while it is open.
class KeptDescriptor {
 public:
  KeptDescriptor() = default;
  KeptDescriptor(KeptDescriptor&&) = default;
  KeptDescriptor& operator=(KeptDescriptor&&) = default;
  ~KeptDescriptor();

  /// Closes `opened` and returns an empty object if the budget does not allow keeping it.
  static KeptDescriptor within_budget(OwnedDescriptor opened);
  static KeptDescriptor always(OwnedDescriptor opened);

  int get() const { return fd_.get(); }
  bool is_open() const { return fd_.is_open(); }

 private:
  explicit KeptDescriptor(OwnedDescriptor fd) : fd_(std::move(fd)) {}
  OwnedDescriptor fd_;
};

/// Keeps its descriptor if the budget allows, and otherwise opens the file for each read. A file
/// that is not the kernel's (a fixture, a recorded tree) is opened for each read too, because a
/// kept descriptor would still read a file that was deleted or replaced.
class KeptFile {
 public:
  KeptFile() = default;
  explicit KeptFile(const char* name, bool is_kernels = true)
      : name_(name), is_kernels_(is_kernels) {}

  /// Reads the whole file, relative to `dirfd`. Retries EINTR and short reads; never follows a
  /// symlink. Closes the descriptor after kDead, so that the next read opens the file again.
  ReadResult read(int dirfd, ReadBuffer& buffer);
  /// Reads into a buffer of the caller; a text longer than `capacity` is kTooLarge.
  ReadResult read(int dirfd, char* bytes, size_t capacity, size_t& size);
  void close() { fd_ = {}; }
  const char* name() const { return name_; }
  int fd() const { return fd_.get(); }

 private:
  const char* name_ = "";  // a literal
  bool is_kernels_ = true;
  KeptDescriptor fd_;
};

}  // namespace episcope
