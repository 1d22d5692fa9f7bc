// Where the directories of the processes are: /proc, or a recorded tree.
#pragma once

#include <cerrno>

namespace episcope {

struct ProcRoot {
  int fd = -1;
  /// A procfs, and no fixture or recorded tree.
  bool is_procfs = false;
  /// A procfs whose pid numbers are the caller's own, so that system calls that take a pid may be
  /// asked too, and processes be signalled by number.
  bool same_pids = false;
  /// It is what is mounted at /proc, however its path is spelled.
  bool is_default = false;

  /// Why no pid of it may be signalled, nor anything believed that it says of one at /proc: ENOENT,
  /// it is no procfs; ENXIO, it is that of another pid namespace, in which every number is a
  /// stranger's. 0: it is our own.
  int why_foreign() const {
    if (!is_procfs) return ENOENT;
    return same_pids ? 0 : ENXIO;
  }
};

/// `fd` is the caller's to close; −1 with errno where it cannot be opened.
ProcRoot open_proc_root(const char* path);

}  // namespace episcope
