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
  /// The errno by which that could not be found out, for want of a descriptor or memory; 0: it was.
  int unknown = 0;
  /// It is what is mounted at /proc, however its path is spelled.
  bool is_default = false;

  /// Why no pid of it may be signalled, nor anything believed that it says of one at /proc: ENOENT,
  /// it is no procfs; ENXIO, it is that of another pid namespace, in which every number is a
  /// stranger's; any other, it could not be found out. 0: it is our own.
  int why_foreign() const {
    if (!is_procfs) return ENOENT;
    if (same_pids) return 0;
    return unknown != 0 ? unknown : ENXIO;
  }
};

/// The kernel could not look: it says nothing of what is there.
inline bool is_shortage(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
}

/// `fd` is the caller's to close; −1 with errno where it cannot be opened.
ProcRoot open_proc_root(const char* path);

}  // namespace episcope
