// One process's directory in procfs. What is opened beneath it belongs to that process for ever:
// once it is gone every read says so (ESRCH, ENOENT), also when its pid number is used again.
#pragma once

#include <time.h>

#include <cstdint>
#include <vector>

#include "kept_file.h"
#include "parse_proc.h"
#include "proc_root.h"
#include "reading.h"

namespace episcope {

class ProcessDirectory {
 public:
  ProcessDirectory() = default;
  ProcessDirectory(ProcessDirectory&& other) noexcept;
  ProcessDirectory& operator=(ProcessDirectory&& other) noexcept;
  ~ProcessDirectory() { close(); }

  /// Pins the process that has the number now: its directory, its stat, its starttime. kProcGone,
  /// kProcRead (reason kHidden: it lives, and this procfs shows it to others only), kProcParse. The
  /// descriptor of `root` must outlive this.
  ReadFailure open(const ProcRoot& root, int pid, ReadBuffer& buffer, ProcStat& stat);
  void close();
  bool is_open() const { return pid_ != 0; }
  int pid() const { return pid_; }
  uint64_t starttime() const { return starttime_; }

  /// kProcGone: no such file any more though nothing hides it, state X, or another process of its
  /// number.
  ReadFailure read_stat(ReadBuffer& buffer, ProcStat& stat);
  /// Of a process whose first thread has ended, which has no memory any more, `of_thread`: as
  /// another thread tells it.
  ReadFailure read_statm(ReadBuffer& buffer, ProcStatm& statm, bool of_thread = false);
  ReadFailure read_io(ReadBuffer& buffer, ProcIo& io);

  /// The whole process's cpu time. True only says that the number had a process: trust it when a
  /// later read_stat succeeds, for the number was not used again then.
  bool process_clock(uint64_t& ns) const;

  /// The pid of its process by `status`, for a thread's directory opens like a process's; 0 when
  /// not told.
  int thread_group(ReadBuffer& buffer);

  /// The highest rss that the process has had since its exec (VmHWM); false where none is told: a
  /// zombie has no memory any more.
  bool peak_rss(ReadBuffer& buffer, uint64_t& bytes);

  /// As read_stat, without the shared buffer.
  ReadFailure read_state(ProcStat& stat);

  /// Appends the children of every thread: a child belongs to the thread that forked it. False when
  /// a list was there and could not be read whole.
  bool append_children(ReadBuffer& buffer, std::vector<int>& pids);

 private:
  /// The directory's descriptor for one access. Beyond the descriptor budget, and of a fixture, it
  /// is opened each time, and may be another process's: read_stat compares the starttime.
  class Access {
   public:
    explicit Access(const ProcessDirectory& directory);
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;
    ~Access();
    int fd() const { return fd_; }

   private:
    int fd_;
    bool is_kept_;
  };

  int open_directory() const;
  bool read_thread_statm(int taskfd, const char* tid, ReadBuffer& buffer, ProcStatm& statm);
  /// The number behind `key` in `status`.
  bool status_number(Text key, ReadBuffer& buffer, uint64_t& value);
  ReadResult read_text(KeptFile& file, char* bytes, size_t capacity, size_t& size);
  bool is_hidden(int error_number) const;
  ReadFailure failed(ReadCode code, const char* file, int error_number) const;
  ReadFailure refused(const KeptFile& file, ReadResult result, ParseError error);
  ReadFailure check_identity(const ProcStat& stat);
  template <typename Parsed>
  ReadFailure read_file(KeptFile& file, ReadBuffer& buffer, ParseError (*parse)(Text, Parsed&),
                        Parsed& out);

  int procfd_ = -1;
  int pid_ = 0;
  int dirfd_ = -1;
  bool has_starttime_ = false;
  bool has_clock_ = false;
  bool same_pids_ = false;
  bool gone_ = false;
  clockid_t clock_ = 0;
  uint64_t starttime_ = 0;
  int memory_tid_ = 0;  // the thread that told the memory last
  KeptFile stat_{"stat"};
  KeptFile statm_{"statm"};
  KeptFile io_{"io"};
};

}  // namespace episcope
