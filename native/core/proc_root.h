// The directory with the directories of the processes: /proc, or a recorded tree.
#pragma once

#include <cerrno>

namespace episcope {

struct ProcRoot {
  int fd = -1;
  /// Whether it is a procfs, not a fixture or a recorded tree.
  bool is_procfs = false;
  /// Whether its pids are those of the caller's pid namespace and can be passed to system calls.
  bool same_pids = false;
  /// The errno if that could not be determined for lack of a descriptor or memory, else 0.
  int unknown = 0;
  /// Whether it is the mount at /proc, however its path is spelled.
  bool is_default = false;

  /// Returns 0 if it is the procfs of our own pid namespace, else an errno: its pids must not be
  /// signalled, nor its figures used. ENOENT: it is not a procfs. ENXIO: it belongs to another pid
  /// namespace, whose pids are other processes here. Any other errno: it could not be determined.
  int why_foreign() const {
    if (!is_procfs) return ENOENT;
    if (same_pids) return 0;
    return unknown != 0 ? unknown : ENXIO;
  }
};

/// The kernel lacked resources: the errno says nothing about whether the file exists.
inline bool is_shortage(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
}

/// The caller must close `fd`, which is −1, with errno set, if the directory cannot be opened.
ProcRoot open_proc_root(const char* path);

}  // namespace episcope
