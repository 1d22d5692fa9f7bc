#include "event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace episcope {
namespace {

/// So much is written at once.
constexpr size_t kWriteBytes = 1 << 20;
constexpr size_t kScanBytes = 1 << 16;
/// A line cut short that is longer is not looked at: whole, it would have been refused.
constexpr uint64_t kTailMaxBytes = 8 << 20;

/// A FIFO without a reader must not hold us, nor a terminal become ours.
constexpr int kOpenFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

LogFailure errno_failure(LogFile file, int error_number = errno) {
  return {LogFault::kErrno, file, error_number};
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// 0 or an errno. File systems that do not sync directories say EINVAL.
int sync_directory_at(const std::string& path) {
  const OwnedDescriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open()) return errno;
  if (fsync(directory.get()) == 0 || errno == EINVAL) return 0;
  return errno;
}

/// Makes the directory, and those above it, each durably. 0 or an errno.
int make_directories(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0) return sync_directory_at(directory_of(path));
  if (errno == EEXIST) return 0;
  if (errno != ENOENT) return errno;
  const std::string parent = directory_of(path);
  if (parent == path) return ENOENT;
  if (const int error = make_directories(parent); error != 0) return error;
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return errno;
  return sync_directory_at(parent);
}

int open_or_make(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags, 0666);
  if (fd >= 0 || errno != ENOENT) return fd;
  if (const int error = make_directories(directory_of(path)); error != 0) {
    errno = error;
    return -1;
  }
  return open(path.c_str(), flags, 0666);
}

/// Bytes that are there; fewer than `length` at the end of the file. −1 with errno.
ssize_t read_at(int fd, char* buffer, size_t length, uint64_t at) {
  size_t got = 0;
  while (got < length) {
    const ssize_t bytes = pread(fd, buffer + got, length - got, static_cast<off_t>(at + got));
    if (bytes == 0) break;
    if (bytes > 0) {
      got += static_cast<size_t>(bytes);
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return static_cast<ssize_t>(got);
}

/// Where the line begins that ends at `size`; −1 with errno.
int64_t last_line_start(int fd, uint64_t size) {
  std::vector<char> chunk(kScanBytes);
  for (uint64_t end = size; end > 0;) {
    const size_t length = std::min<uint64_t>(end, kScanBytes);
    const ssize_t got = read_at(fd, chunk.data(), length, end - length);
    if (got < 0) return -1;
    for (size_t i = static_cast<size_t>(got); i > 0; i--) {
      if (chunk[i - 1] == '\n') return static_cast<int64_t>(end - length + i);
    }
    end -= length;
  }
  return 0;
}

}  // namespace

bool ends_whole(std::string_view tail) {
  if (!tail.starts_with('{')) return false;
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < tail.size(); i++) {
    const char c = tail[i];
    if (in_string) {
      if (c == '\\') {
        i++;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') depth--;
    if (depth == 0) {
      return tail.find_first_not_of(" \t\r", i + 1) == std::string_view::npos;
    }
  }
  return false;
}

EventLog::EventLog(std::string path, std::string lock_path)
    : path_(std::move(path)), rotated_path_(path_ + ".1"), lock_path_(std::move(lock_path)) {}

LogFailure EventLog::lock() {
  for (;;) {
    if (!lock_.is_open()) {
      if (const LogFailure failure = open_lock()) return failure;
    }
    while (flock(lock_.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return errno_failure(LogFile::kLock);
    }
    if (is_at(lock_path_, lock_.get())) return {};
    // Removed or replaced while we waited: others lock another file by now.
    lock_.reset();
  }
}

void EventLog::unlock() { flock(lock_.get(), LOCK_UN); }

void EventLog::close() {
  events_.reset();
  lock_.reset();
}

LogFailure EventLog::open_lock() {
  OwnedDescriptor opened(open_or_make(lock_path_, kOpenFlags));
  if (!opened.is_open()) return errno_failure(LogFile::kLock);
  lock_ = std::move(opened);
  return {};
}

bool EventLog::is_at(const std::string& path, int fd) const {
  struct stat named;
  struct stat opened;
  if (stat(path.c_str(), &named) != 0 || fstat(fd, &opened) != 0) return false;
  return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

size_t EventLog::append(std::span<const LogLine> lines, LogFailure& failure) {
  size_t done = 0;
  while (done < lines.size()) {
    failure = make_ready();
    if (failure) return done;
    if (size_ > lines[done].rotate_bytes) {
      failure = rotate();
      if (failure) return done;
      continue;
    }
    size_t end = done;
    uint64_t size = size_;
    do {
      size += lines[end].text.size();
      end++;
    } while (end < lines.size() && size <= lines[end].rotate_bytes);
    done += write_lines(lines.subspan(done, end - done), failure);
    if (failure) return done;
  }
  return done;
}

LogFailure EventLog::make_ready() {
  if (events_.is_open() && !is_at(path_, events_.get())) events_.reset();
  if (!events_.is_open()) {
    OwnedDescriptor opened(open_or_make(path_, kOpenFlags | O_APPEND));
    if (!opened.is_open()) return errno_failure(LogFile::kEvents);
    events_ = std::move(opened);
  }
  struct stat status;
  if (fstat(events_.get(), &status) != 0) return errno_failure(LogFile::kEvents);
  if (!S_ISREG(status.st_mode)) return {LogFault::kNotRegular, LogFile::kEvents, 0};
  size_ = static_cast<uint64_t>(status.st_size);
  // Nothing in it was ever acknowledged, so nobody need have seen to its name.
  if (size_ == 0) return sync_directory();
  char last = '\n';
  if (read_at(events_.get(), &last, 1, size_ - 1) < 0) return errno_failure(LogFile::kEvents);
  return last == '\n' ? LogFailure{} : repair_tail();
}

LogFailure EventLog::repair_tail() {
  const int64_t found = last_line_start(events_.get(), size_);
  if (found < 0) return errno_failure(LogFile::kEvents);
  const auto start = static_cast<uint64_t>(found);
  std::string tail(std::min(size_ - start, kTailMaxBytes), '\0');
  const ssize_t got = read_at(events_.get(), tail.data(), tail.size(), start);
  if (got < 0) return errno_failure(LogFile::kEvents);
  tail.resize(static_cast<size_t>(got));
  if (size_ - start <= kTailMaxBytes && ends_whole(tail)) {
    // Only its newline is missing, which others write by itself.
    if (write(events_.get(), "\n", 1) != 1) return errno_failure(LogFile::kEvents);
    size_++;
    return {};
  }
  // A crash of the machine may leave zeros. What is only such a tail, and begins like none, is not
  // ours to cut.
  if (start == 0 && !tail.starts_with('{') && !tail.starts_with('\0')) {
    return {LogFault::kForeign, LogFile::kEvents, 0};
  }
  return cut_tail(start);
}

LogFailure EventLog::cut_tail(uint64_t at) {
  if (ftruncate(events_.get(), static_cast<off_t>(at)) != 0) {
    return errno_failure(LogFile::kEvents);
  }
  size_ = at;
  return {};
}

LogFailure EventLog::rotate() {
  if (rename(path_.c_str(), rotated_path_.c_str()) != 0) return errno_failure(LogFile::kRotated);
  // Before the next file is made, or a crash could bring this one back beside it.
  events_.reset();
  return sync_directory();
}

size_t EventLog::write_lines(std::span<const LogLine> lines, LogFailure& failure) {
  const uint64_t before = size_;
  uint64_t written = 0;
  std::string text;
  for (size_t next = 0; next < lines.size() && !failure;) {
    text.clear();
    do {
      text += lines[next++].text;
    } while (next < lines.size() && text.size() + lines[next].text.size() <= kWriteBytes);
    for (size_t at = 0; at < text.size();) {
      const ssize_t bytes = write(events_.get(), text.data() + at, text.size() - at);
      if (bytes > 0) {
        at += static_cast<size_t>(bytes);
        written += static_cast<uint64_t>(bytes);
      } else if (bytes == 0 || errno != EINTR) {
        failure = errno_failure(LogFile::kEvents, bytes == 0 ? EIO : errno);
        break;
      }
    }
  }
  size_t whole = 0;
  uint64_t whole_bytes = 0;
  while (whole < lines.size() && whole_bytes + lines[whole].text.size() <= written) {
    whole_bytes += lines[whole++].text.size();
  }
  // Where this fails the next writer cuts it.
  if (whole_bytes < written) cut_tail(before + whole_bytes);
  size_ = before + whole_bytes;
  if (whole == 0) return 0;
  int synced = 0;
  do {
    synced = fdatasync(events_.get());
  } while (synced != 0 && errno == EINTR);
  if (synced == 0) return whole;
  failure = errno_failure(LogFile::kEvents);
  // Nobody is told that these are there, so that they may be appended again.
  cut_tail(before);
  return 0;
}

LogFailure EventLog::sync_directory() const {
  const int error = sync_directory_at(directory_of(path_));
  return error == 0 ? LogFailure{} : errno_failure(LogFile::kEvents, error);
}

}  // namespace episcope
