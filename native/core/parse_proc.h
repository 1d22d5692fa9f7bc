// Parses the files of /proc/<pid>. Ticks and pages are not converted here, because their size is a
// property of the system, not of the text.
#pragma once

#include <cstdint>
#include <optional>

#include "parse_text.h"

namespace episcope {

/// /proc/<pid>/stat. Fields are counted from the last ')', because comm is not escaped and may
/// contain spaces, newlines and parentheses.
struct ProcStat {
  char state = '\0';
  uint64_t ppid = 0;
  uint64_t minflt = 0;
  uint64_t cminflt = 0;
  uint64_t majflt = 0;
  uint64_t cmajflt = 0;
  uint64_t utime_ticks = 0;
  uint64_t stime_ticks = 0;
  uint64_t cutime_ticks = 0;
  uint64_t cstime_ticks = 0;
  uint64_t num_threads = 0;
  uint64_t starttime_ticks = 0;
};
ParseError parse_proc_stat(Text text, ProcStat& out);

/// /proc/<pid>/statm. All zero for a zombie.
struct ProcStatm {
  uint64_t size_pages = 0;
  uint64_t resident_pages = 0;
  uint64_t shared_pages = 0;
};
ParseError parse_proc_statm(Text text, ProcStatm& out);

/// /proc/<pid>/io. read_bytes and write_bytes are storage io and include that of reaped children.
struct ProcIo {
  std::optional<uint64_t> rchar;
  std::optional<uint64_t> wchar;
  std::optional<uint64_t> syscr;
  std::optional<uint64_t> syscw;
  uint64_t read_bytes = 0;
  uint64_t write_bytes = 0;
};
ParseError parse_proc_io(Text text, ProcIo& out);

}  // namespace episcope
