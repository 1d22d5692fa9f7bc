// The directory with the directories of the processes: /proc, or a recorded tree.
#pragma once

#include <cerrno>

namespace episcope {

struct ProcRoot {
  int fd = -1;
  /// It is a procfs, not a fixture or a recorded tree.
  bool is_procfs = false;
  /// Its pids are those of the caller's pid namespace, so they can be passed to system calls.
  bool same_pids = false;
  /// The errno if that could not be determined for lack of a descriptor or memory, or 0.
  int unknown = 0;
  /// It is what is mounted at /proc, however its path is spelled.
  bool is_default = false;

  /// Returns 0 if it is the procfs of our own pid namespace, or the errno that says why its pids
  /// must not be signalled and its figures not be used: ENOENT, it is not a procfs; ENXIO, it
  /// belongs to another pid namespace, whose pids are other processes here; any other: it could not
  /// be determined.
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

/// The caller closes `fd`, which is −1, with errno set, if the directory cannot be opened.
ProcRoot open_proc_root(const char* path);

}  // namespace episcope
