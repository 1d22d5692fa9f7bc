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

/// Maximum size of one write.
constexpr size_t kWriteBytes = 1 << 20;
/// Usually enough for the last line.
constexpr size_t kScanBytes = 1 << 12;

/// A FIFO without a reader must not block us, nor a terminal become our controlling terminal.
constexpr int kOpenFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

LogFailure errno_failure(LogFile file, int error_number = errno) {
  return {LogFault::kErrno, file, error_number};
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// ENOTSUPP: a kernel-internal errno that some file systems return instead of EOPNOTSUPP.
constexpr int kNotSupported = 524;

/// Whether the errno says that the directory cannot be synced, not that a write failed. Our
/// descriptor is open, so EBADF too comes from the file system, which needs a descriptor open
/// for writing: a directory has none.
bool is_unsyncable(int error) {
  return error == EBADF || error == EINVAL || error == EISDIR || error == ENOSYS ||
         error == EOPNOTSUPP || error == kNotSupported;
}

/// A sync must open the directory, which may be forbidden although it may be searched and written.
bool is_forbidden(int error) { return error == EACCES || error == EPERM; }

/// Returns 0 or an errno. Returns 0 also if a directory cannot be synced: the lines are synced, and
/// the name of their file is left to the file system.
int sync_directory_at(const std::string& path) {
  const OwnedDescriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (directory.is_open()) {
    if (fsync(directory.get()) == 0 || is_unsyncable(errno)) return 0;
    if (errno != EINTR) break;
  }
  return is_forbidden(errno) ? 0 : errno;
}

/// Returns 0 or an errno.
int make_directories(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return 0;
  if (errno != ENOENT) return errno;
  const std::string parent = directory_of(path);
  if (parent == path) return ENOENT;
  if (const int error = make_directories(parent); error != 0) return error;
  return mkdir(path.c_str(), 0777) == 0 || errno == EEXIST ? 0 : errno;
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

/// Whether the path refers to the open file. With AT_SYMLINK_NOFOLLOW a symlink is not resolved.
bool is_at(const std::string& path, int fd, int flags = 0) {
  struct stat named;
  struct stat opened;
  if (fstatat(AT_FDCWD, path.c_str(), &named, flags) != 0 || fstat(fd, &opened) != 0) return false;
  return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/// Returns the number of bytes read, fewer than `length` at the end of the file, or −1 with errno.
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

/// Readers skip blank lines too.
constexpr std::string_view kBlank = " \t\r";

bool is_newline(char c) { return c == '\n'; }
bool is_text(char c) { return !is_newline(c) && kBlank.find(c) == std::string_view::npos; }

/// Returns the offset after the last such byte before `end`, 0 if there is none, or −1 with errno.
int64_t end_of_last(bool (*is_such)(char), int fd, uint64_t end) {
  std::vector<char> chunk(kScanBytes);
  while (end > 0) {
    const size_t length = std::min<uint64_t>(end, kScanBytes);
    const ssize_t got = read_at(fd, chunk.data(), length, end - length);
    if (got < 0) return -1;
    for (size_t i = static_cast<size_t>(got); i > 0; i--) {
      if (is_such(chunk[i - 1])) return static_cast<int64_t>(end - length + i);
    }
    end -= length;
  }
  return 0;
}

/// Characters outside of strings: structure, numbers, `true`, `false` and `null`.
constexpr std::string_view kOutside = " \t\r,:truefalsn+-.eE0123456789";

}  // namespace

LineShape shape_of(std::string_view line) {
  if (!line.starts_with('{')) return LineShape::kOther;
  std::string open;
  bool in_string = false;
  for (size_t i = 0; i < line.size(); i++) {
    const char c = line[i];
    if (in_string) {
      if (c == '\\') {
        i++;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      open += c == '{' ? '}' : ']';
    } else if (c == '}' || c == ']') {
      if (open.back() != c) return LineShape::kOther;
      open.pop_back();
      if (!open.empty()) continue;
      const bool is_end = line.find_first_not_of(kBlank, i + 1) == std::string_view::npos;
      return is_end ? LineShape::kWholeObject : LineShape::kOther;
    } else if (kOutside.find(c) == std::string_view::npos) {
      return LineShape::kOther;
    }
  }
  return LineShape::kObjectCutShort;
}

EventLog::EventLog(std::string path, std::string lock_path)
    : path_(std::move(path)), rotated_path_(path_ + ".1"), lock_path_(std::move(lock_path)) {}

LogFailure EventLog::lock() {
  for (;;) {
    if (!lock_.is_open()) {
      if (const LogFailure failure = open_lock()) return failure;
    }
    while (flock(lock_.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return {LogFault::kLock, LogFile::kLock, errno};
    }
    if (is_at(lock_path_, lock_.get())) return {};
    // Removed or replaced while we waited: other processes lock another file now.
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

LogFailure EventLog::open_events() {
  OwnedDescriptor opened(open_or_make(path_, kOpenFlags | O_APPEND | O_NOFOLLOW));
  if (!opened.is_open()) {
    if (errno == ELOOP) return {LogFault::kLink, LogFile::kEvents, ELOOP};
    return errno_failure(LogFile::kEvents);
  }
  events_ = std::move(opened);
  known_size_ = 0;
  return {};
}

LogFailure EventLog::make_ready() {
  if (events_.is_open() && !is_at(path_, events_.get(), AT_SYMLINK_NOFOLLOW)) events_.reset();
  if (!events_.is_open()) {
    if (const LogFailure failure = open_events()) return failure;
  }
  struct stat status;
  if (fstat(events_.get(), &status) != 0) return errno_failure(LogFile::kEvents);
  if (!S_ISREG(status.st_mode)) return {LogFault::kNotRegular, LogFile::kEvents, 0};
  size_ = static_cast<uint64_t>(status.st_size);
  if (size_ > 0 && size_ != known_size_) {
    if (const LogFailure failure = repair_end()) return failure;
    known_size_ = size_;
  }
  // Nothing in it was acknowledged yet, so its name may not have been synced.
  return size_ == 0 ? sync_directories() : LogFailure{};
}

LogFailure EventLog::repair_end() {
  const int fd = events_.get();
  const int64_t lines_end = end_of_last(is_newline, fd, size_);
  if (lines_end < 0) return errno_failure(LogFile::kEvents);
  const int64_t text_end = end_of_last(is_text, fd, size_);
  if (text_end < 0) return errno_failure(LogFile::kEvents);
  // The last line that is not blank: an event that was cut short may be followed by blank lines.
  const int64_t line_start = end_of_last(is_newline, fd, static_cast<uint64_t>(text_end));
  if (line_start < 0) return errno_failure(LogFile::kEvents);
  const auto start = static_cast<uint64_t>(line_start);
  std::string line(
      std::min<uint64_t>(static_cast<uint64_t>(text_end) - start, kMaxReviewerLineBytes + 1), '\0');
  const ssize_t got = read_at(fd, line.data(), line.size(), start);
  if (got < 0) return errno_failure(LogFile::kEvents);
  line.resize(static_cast<size_t>(got));
  const std::string_view text =
      std::string_view(line).substr(std::min(line.find_first_not_of(kBlank), line.size()));
  const LineShape shape = line.size() > kMaxReviewerLineBytes ? LineShape::kOther : shape_of(text);
  // Readers accept it only while nothing follows it.
  if (shape == LineShape::kObjectCutShort) return cut_end(start);
  if (lines_end == static_cast<int64_t>(size_)) return {};
  if (shape == LineShape::kWholeObject || lines_end >= text_end) {
    // Only the newline is missing, which other writers append separately.
    if (write(fd, "\n", 1) != 1) return errno_failure(LogFile::kEvents);
    size_++;
    return {};
  }
  // A crash of the machine may leave zeros. Anything else was not written by us and is not cut.
  if (text.starts_with('{') || text.starts_with('\0')) return cut_end(start);
  return {LogFault::kForeign, LogFile::kEvents, 0};
}

LogFailure EventLog::cut_end(uint64_t at) {
  struct stat status;
  if (fstat(events_.get(), &status) != 0) return errno_failure(LogFile::kEvents);
  // If the file was truncated meanwhile, this would extend it with NULs.
  if (static_cast<uint64_t>(status.st_size) > at &&
      ftruncate(events_.get(), static_cast<off_t>(at)) != 0) {
    return errno_failure(LogFile::kEvents);
  }
  size_ = at;
  return {};
}

LogFailure EventLog::rotate() {
  // A writer that was killed may have left lines that were not synced.
  if (const LogFailure failure = sync_events()) return failure;
  if (rename(path_.c_str(), rotated_path_.c_str()) != 0) return errno_failure(LogFile::kRotated);
  // rename() between two names of one file does nothing: without this the file would stay full.
  if (is_at(path_, events_.get()) && unlink(path_.c_str()) != 0) {
    return errno_failure(LogFile::kEvents);
  }
  // Before the next file is created, or a crash could restore this one under the same name.
  events_.reset();
  return sync_directories();
}

LogFailure EventLog::sync_events() {
  while (fdatasync(events_.get()) != 0) {
    if (errno != EINTR) return errno_failure(LogFile::kEvents);
  }
  return {};
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
  // If this fails, the next writer cuts it.
  if (whole_bytes < written) cut_end(before + whole_bytes);
  size_ = known_size_ = before + whole_bytes;
  if (whole == 0) return 0;
  const LogFailure not_synced = sync_events();
  if (!not_synced) return whole;
  failure = not_synced;
  // These were not acknowledged, so their callers may append them again.
  cut_end(before);
  known_size_ = 0;
  return 0;
}

LogFailure EventLog::sync_directories() const {
  std::string directory = directory_of(path_);
  if (const int error = sync_directory_at(directory); error != 0) {
    return errno_failure(LogFile::kEvents, error);
  }
  // The parent directories may have been created for this log, or may not be ours to open.
  for (std::string parent = directory_of(directory); parent != directory && parent != ".";
       parent = directory_of(directory)) {
    sync_directory_at(parent);
    directory = parent;
  }
  return {};
}

}  // namespace episcope
