// A file descriptor with one owner.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace episcope {

/// Closes the descriptor when it is destroyed.
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

  /// Duplicates the descriptor, for a user that outlives the caller's. Holds −1, with errno set, if
  /// none is left.
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
