#include "process_directory.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "directory_entries.h"
#include "parse_pids.h"

namespace episcope {
namespace {

// The whole line has some 300 bytes; comm may be long and contain any bytes.
constexpr size_t kStatSize = 2048;

bool is_no_such_thing(int error_number) { return error_number == ENOENT || error_number == ESRCH; }

bool is_dead(char state) { return state == 'X' || state == 'x'; }

/// The pid as a directory name.
struct Decimal {
  explicit Decimal(int number) { *std::to_chars(text, text + sizeof text - 1, number).ptr = '\0'; }
  char text[16];
};

OwnedDescriptor open_tasks(int dirfd) {
  return OwnedDescriptor(openat(dirfd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

ReadFailure ProcessDirectory::open(const ProcRoot& root, int pid, ReadBuffer& buffer,
                                   ProcStat& stat) {
  close();
  procfd_ = root.fd;
  pid_ = pid;
  same_pids_ = root.same_pids;
  for (KeptFile* file : {&stat_, &statm_, &io_}) *file = KeptFile(file->name(), root.is_procfs);
  OwnedDescriptor opened(open_directory());
  if (!opened.is_open()) {
    const int error_number = errno;
    const bool is_gone = is_no_such_thing(error_number) && !is_hidden(error_number);
    ReadFailure failure =
        failed(is_gone ? ReadCode::kProcGone : ReadCode::kProcRead, stat_.name(), error_number);
    if (is_hidden(error_number)) failure.reason = ParseReason::kHidden;
    close();
    return failure;
  }
  if (root.is_procfs) dirfd_ = KeptDescriptor::within_budget(std::move(opened));
  has_clock_ = same_pids_ && clock_getcpuclockid(pid, &clock_) == 0;
  const ReadFailure failure = read_stat(buffer, stat);
  if (failure) close();
  return failure;
}

ReadFailure ProcessDirectory::read_stat(ReadBuffer& buffer, ProcStat& stat) {
  if (const ReadFailure failure = read_file(stat_, buffer, parse_proc_stat, stat)) return failure;
  return check_identity(stat);
}

ReadFailure ProcessDirectory::read_statm(ReadBuffer& buffer, ProcStatm& statm, bool of_thread) {
  if (of_thread) {
    const Access access(*this);
    const OwnedDescriptor tasks = access.fd() < 0 ? OwnedDescriptor() : open_tasks(access.fd());
    bool found = tasks.is_open() && memory_tid_ != 0 &&
                 read_thread_statm(tasks.get(), Decimal(memory_tid_).text, buffer, statm);
    if (tasks.is_open() && !found) {
      (void)for_each_entry(tasks.get(), [&](const char* tid, unsigned char) {
        found = found || read_thread_statm(tasks.get(), tid, buffer, statm);
      });
    }
    if (found) return {};
  }
  return read_file(statm_, buffer, parse_proc_statm, statm);
}

/// Returns false for a thread that has ended or is ending: all of its values are 0.
bool ProcessDirectory::read_thread_statm(int taskfd, const char* tid, ReadBuffer& buffer,
                                         ProcStatm& statm) {
  char path[300];
  std::snprintf(path, sizeof path, "%s/statm", tid);
  if (read_once(taskfd, path, buffer).status != ReadStatus::kOk) return false;
  if (parse_proc_statm(Text(buffer.bytes, buffer.size), statm) || statm.size_pages == 0) {
    return false;
  }
  memory_tid_ = std::atoi(tid);
  return true;
}

ReadFailure ProcessDirectory::read_io(ReadBuffer& buffer, ProcIo& io) {
  return read_file(io_, buffer, parse_proc_io, io);
}

bool ProcessDirectory::process_clock(uint64_t& ns) const {
  timespec time{};
  if (!has_clock_ || clock_gettime(clock_, &time) != 0) return false;
  ns = saturating_add(saturating_mul(static_cast<uint64_t>(time.tv_sec), 1'000'000'000),
                      static_cast<uint64_t>(time.tv_nsec));
  return true;
}

int ProcessDirectory::thread_group(ReadBuffer& buffer) {
  uint64_t tgid = 0;
  return status_number("Tgid:", buffer, tgid) && tgid <= INT_MAX ? static_cast<int>(tgid) : 0;
}

bool ProcessDirectory::peak_rss(ReadBuffer& buffer, uint64_t& bytes) {
  uint64_t kib = 0;
  if (!status_number("VmHWM:", buffer, kib)) return false;
  bytes = saturating_mul(kib, 1024);
  return true;
}

bool ProcessDirectory::status_number(Text key, ReadBuffer& buffer, uint64_t& value) {
  const Access access(*this);
  if (read_once(access.fd(), "status", buffer).status != ReadStatus::kOk) return false;
  for (Lines lines(Text(buffer.bytes, buffer.size)); lines.next();) {
    if (!lines.line().starts_with(key)) continue;
    const Text rest = lines.line().substr(key.size());
    const size_t begin = std::min(rest.find_first_not_of("\t "), rest.size());
    const size_t end = std::min(rest.find(' ', begin), rest.size());
    return !parse_number(rest, begin, end, value);
  }
  return false;
}

ReadFailure ProcessDirectory::read_state(ProcStat& stat) {
  if (gone_) return failed(ReadCode::kProcGone, stat_.name(), ESRCH);
  char text[kStatSize];
  size_t size = 0;
  const ReadResult result = read_text(stat_, text, sizeof text, size);
  ParseError error;
  if (result.status == ReadStatus::kOk) error = parse_proc_stat(Text(text, size), stat);
  if (result.status != ReadStatus::kOk || error) return refused(stat_, result, error);
  return check_identity(stat);
}

bool ProcessDirectory::append_children(ReadBuffer& buffer, std::vector<int>& pids) {
  const Access access(*this);
  const OwnedDescriptor tasks = access.fd() < 0 ? OwnedDescriptor() : open_tasks(access.fd());
  if (!tasks.is_open()) {
    // The process ended: it has no children anymore.
    const int error_number = errno;
    return is_no_such_thing(error_number) && !is_hidden(error_number);
  }
  bool whole = true;
  const bool listed = for_each_entry(tasks.get(), [&](const char* tid, unsigned char) {
    char path[300];
    std::snprintf(path, sizeof path, "%s/children", tid);
    const ReadResult result = read_once(tasks.get(), path, buffer);
    // Absent if the thread just ended, the kernel has no `children`, or a fixture has no threads.
    if (result.status == ReadStatus::kAbsent || is_no_such_thing(result.error_number)) return;
    if (!append_pids(result.status, buffer, pids)) whole = false;
  });
  return whole && (listed || is_no_such_thing(errno));
}

int ProcessDirectory::open_directory() const {
  return openat(procfd_, Decimal(pid_).text, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

ProcessDirectory::Access::Access(const ProcessDirectory& directory)
    : opened_(directory.dirfd_.is_open() ? -1 : directory.open_directory()),
      fd_(directory.dirfd_.is_open() ? directory.dirfd_.get() : opened_.get()) {}

/// Opens the directory if needed. If it no longer exists, the file is dead.
ReadResult ProcessDirectory::read_text(KeptFile& file, char* bytes, size_t capacity, size_t& size) {
  size = 0;
  if (file.fd() >= 0) return file.read(-1, bytes, capacity, size);
  const Access access(*this);
  if (access.fd() < 0) {
    return {is_no_such_thing(errno) ? ReadStatus::kDead : ReadStatus::kError, errno};
  }
  return file.read(access.fd(), bytes, capacity, size);
}

template <typename Parsed>
ReadFailure ProcessDirectory::read_file(KeptFile& file, ReadBuffer& buffer,
                                        ParseError (*parse)(Text, Parsed&), Parsed& out) {
  if (gone_) return failed(ReadCode::kProcGone, file.name(), ESRCH);
  ParseError error;
  const ReadResult result = read_text(file, buffer.bytes, sizeof buffer.bytes, buffer.size);
  if (result.status == ReadStatus::kOk) {
    error = parse(Text(buffer.bytes, buffer.size), out);
    if (!error) return {};
  }
  return refused(file, result, error);
}

/// The pid has no directory, but kill(2) knows the process: a procfs mounted with `hidepid` hides
/// the processes of other users.
bool ProcessDirectory::is_hidden(int error_number) const {
  return error_number == ENOENT && same_pids_ && (kill(pid_, 0) == 0 || errno != ESRCH);
}

/// Returns what a failed read means for the process.
ReadFailure ProcessDirectory::refused(const KeptFile& file, ReadResult result, ParseError error) {
  ReadFailure failure = failed(ReadCode::kProcRead, file.name(), result.error_number);
  if (error) {
    failure.code = ReadCode::kProcParse;
    failure.reason = error.reason;
    failure.offset = error.offset;
  } else if (result.status == ReadStatus::kTooLarge) {
    failure.reason = ParseReason::kTooLarge;
  } else if (is_hidden(result.error_number)) {
    failure.reason = ParseReason::kHidden;
  } else if (result.status == ReadStatus::kDead ||
             (result.status == ReadStatus::kAbsent && &file == &stat_)) {
    failure.code = ReadCode::kProcGone;
    gone_ = true;
  } else if (result.status == ReadStatus::kAbsent) {
    // The kernel lacks this file, or the process ended after its stat was read.
    ProcStat ignored;
    if (read_state(ignored).code == ReadCode::kProcGone) failure.code = ReadCode::kProcGone;
  }
  return failure;
}

ReadFailure ProcessDirectory::check_identity(const ProcStat& stat) {
  if (!has_starttime_) {
    starttime_ = stat.starttime_ticks;
    has_starttime_ = true;
  }
  if (stat.starttime_ticks != starttime_) gone_ = true;
  if (gone_ || is_dead(stat.state)) return failed(ReadCode::kProcGone, stat_.name(), ESRCH);
  return {};
}

ReadFailure ProcessDirectory::failed(ReadCode code, const char* file, int error_number) const {
  ReadFailure failure{.code = code, .error_number = error_number, .pid = pid_};
  failure.set_file(file);
  return failure;
}

}  // namespace episcope
