// The directory of a process in procfs. Files opened beneath it always refer to that process: once
// it is gone, every read fails (ESRCH, ENOENT), even if its pid is reused.
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
  /// Opens the directory of the process that has the pid now, and reads its stat and starttime.
  /// Fails with kProcGone, kProcRead (reason kHidden: the process exists, but this procfs hides
  /// it), or kProcParse. The descriptor of `root` must outlive this object.
  ReadFailure open(const ProcRoot& root, int pid, ReadBuffer& buffer, ProcStat& stat);
  void close() { *this = ProcessDirectory(); }
  bool is_open() const { return pid_ != 0; }
  int pid() const { return pid_; }
  uint64_t starttime() const { return starttime_; }

  /// Fails with kProcGone if the file no longer exists and is not hidden, the state is X, or
  /// another process has the pid.
  ReadFailure read_stat(ReadBuffer& buffer, ProcStat& stat);
  /// With `of_thread` reads the file of another thread: the first thread has no memory once it has
  /// ended.
  ReadFailure read_statm(ReadBuffer& buffer, ProcStatm& statm, bool of_thread = false);
  ReadFailure read_io(ReadBuffer& buffer, ProcIo& io);

  /// The cpu time of the whole process. True only means that some process had the pid: the value is
  /// valid if a later read_stat() succeeds, which shows that the pid was not reused.
  bool process_clock(uint64_t& ns) const;

  /// The pid of the process by `status`, since the directory of any thread can be opened too; 0 if
  /// it cannot be read.
  int thread_group(ReadBuffer& buffer);

  /// The highest rss since exec (VmHWM). Returns false if there is none: a zombie has no memory.
  bool peak_rss(ReadBuffer& buffer, uint64_t& bytes);

  /// Like read_stat(), without the shared buffer.
  ReadFailure read_state(ProcStat& stat);

  /// Appends the children of every thread: a child belongs to the thread that forked it. Returns
  /// false if a list exists and could not be read completely.
  bool append_children(ReadBuffer& buffer, std::vector<int>& pids);

 private:
  /// The descriptor of the directory for one access. Beyond the descriptor budget, and in a
  /// fixture, the directory is opened each time and may belong to another process, so read_stat()
  /// compares the starttime.
  class Access {
   public:
    explicit Access(const ProcessDirectory& directory);
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;
    int fd() const { return fd_; }

   private:
    OwnedDescriptor opened_;
    int fd_;
  };

  int open_directory() const;
  bool read_thread_statm(int taskfd, const char* tid, ReadBuffer& buffer, ProcStatm& statm);
  /// The number after `key` in `status`.
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
  KeptDescriptor dirfd_;
  bool has_starttime_ = false;
  bool has_clock_ = false;
  bool same_pids_ = false;
  bool gone_ = false;
  clockid_t clock_ = 0;
  uint64_t starttime_ = 0;
  int memory_tid_ = 0;  // the thread whose memory was read last
  KeptFile stat_{"stat"};
  KeptFile statm_{"statm"};
  KeptFile io_{"io"};
};

}  // namespace episcope
