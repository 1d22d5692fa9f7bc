// A file descriptor with one owner.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace episcope {

/// Closed with its owner.
class OwnedDescriptor {
 public:
  OwnedDescriptor() = default;
  explicit OwnedDescriptor(int fd) : fd_(fd) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedDescriptor() { reset(); }

  /// The same open file by another descriptor, for what outlives the caller's own. −1 with errno
  /// where there is none left.
  static OwnedDescriptor duplicate(int fd) {
    return OwnedDescriptor(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  }

  /// Closes it now.
  void reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace episcope
