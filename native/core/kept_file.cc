#include "kept_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <utility>

namespace episcope {
namespace {

// O_NONBLOCK: a FIFO in a fixture tree must not block the reader.
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

std::atomic<int> kept_descriptors{0};
std::atomic<int> max_descriptors{-1};  // -1: not read yet

int half_of_soft_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t half = limit.rlim_cur / 2;
  return half > INT_MAX ? INT_MAX : static_cast<int>(half);
}

ReadResult failed(int error_number) {
  switch (error_number) {
    case ENODEV:
    case ESRCH:
      return {ReadStatus::kDead, error_number};
    default:
      return {ReadStatus::kError, error_number};
  }
}

int open_file(int dirfd, const char* path) {
  int fd;
  do {
    fd = openat(dirfd, path, kReadFlags);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

ReadResult open_failed(int error_number) {
  if (error_number == ENOENT) return {ReadStatus::kAbsent, ENOENT};
  return failed(error_number);
}

}  // namespace

ReadResult read_whole(int fd, char* bytes, size_t capacity, size_t& size, Pread pread_once) {
  size = 0;
  size_t at = 0;
  char behind;
  for (;;) {
    // A short read is not the end: a seq_file returns what fits in its page.
    const bool full = at == capacity;
    const ssize_t n = pread_once(fd, full ? &behind : bytes + at, full ? 1 : capacity - at,
                                 static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(errno);
    if (n == 0) break;
    if (full) {
      size = at;
      return {ReadStatus::kTooLarge, 0};
    }
    at += static_cast<size_t>(n);
  }
  size = at;
  return {};
}

ReadResult read_once(int dirfd, const char* path, ReadBuffer& buffer) {
  buffer.size = 0;
  const OwnedDescriptor file(open_file(dirfd, path));
  if (!file.is_open()) return open_failed(errno);
  return read_whole(file.get(), buffer.bytes, sizeof buffer.bytes, buffer.size, pread);
}

bool DescriptorBudget::take() {
  int max = max_descriptors.load(std::memory_order_relaxed);
  if (max < 0) {
    max = half_of_soft_limit();
    max_descriptors.store(max, std::memory_order_relaxed);
  }
  if (kept_descriptors.fetch_add(1, std::memory_order_relaxed) < max) return true;
  give_back();
  return false;
}

void DescriptorBudget::take_always() { kept_descriptors.fetch_add(1, std::memory_order_relaxed); }

void DescriptorBudget::give_back() { kept_descriptors.fetch_sub(1, std::memory_order_relaxed); }

int DescriptorBudget::kept() { return kept_descriptors.load(std::memory_order_relaxed); }

KeptDescriptor KeptDescriptor::within_budget(OwnedDescriptor opened) {
  return opened.is_open() && DescriptorBudget::take() ? KeptDescriptor(std::move(opened))
                                                      : KeptDescriptor();
}

KeptDescriptor KeptDescriptor::always(OwnedDescriptor opened) {
  if (opened.is_open()) DescriptorBudget::take_always();
  return KeptDescriptor(std::move(opened));
}

KeptDescriptor::~KeptDescriptor() {
  if (is_open()) DescriptorBudget::give_back();
}

ReadResult KeptFile::read(int dirfd, ReadBuffer& buffer) {
  return read(dirfd, buffer.bytes, sizeof buffer.bytes, buffer.size);
}

ReadResult KeptFile::read(int dirfd, char* bytes, size_t capacity, size_t& size) {
  size = 0;
  if (fd_.is_open()) {
    const ReadResult result = read_whole(fd(), bytes, capacity, size, pread);
    if (result.status == ReadStatus::kDead) close();
    return result;
  }
  OwnedDescriptor opened(open_file(dirfd, name_));
  if (!opened.is_open()) return open_failed(errno);
  const ReadResult result = read_whole(opened.get(), bytes, capacity, size, pread);
  if (is_kernels_ && result.status != ReadStatus::kDead) {
    fd_ = KeptDescriptor::within_budget(std::move(opened));
  }
  return result;
}

}  // namespace episcope
