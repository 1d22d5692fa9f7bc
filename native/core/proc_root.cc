#include "proc_root.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "owned_descriptor.h"
#include "parse_text.h"

namespace episcope {
namespace {

bool is_procfs(int procfd) {
  struct statfs file_system {};
  return fstatfs(procfd, &file_system) == 0 &&
         static_cast<unsigned long>(file_system.f_type) == kProcSuperMagic;
}

bool is_slash_proc(int procfd) {
  struct stat opened {};
  struct stat usual {};
  return fstat(procfd, &opened) == 0 && stat("/proc", &usual) == 0 &&
         opened.st_dev == usual.st_dev && opened.st_ino == usual.st_ino;
}

/// Whether the caller is in the pid namespace of the procfs, not in one below: `NSpid` has one
/// number for each namespace from there inwards. A kernel without namespaces has no such line.
bool is_innermost(int procfd, int& unknown) {
  char bytes[4096];
  const OwnedDescriptor file(openat(procfd, "self/status", O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (is_shortage(errno)) unknown = errno;
    return false;
  }
  const ssize_t size = read(file.get(), bytes, sizeof bytes);
  if (size <= 0) return false;
  constexpr Text kNsPid = "NSpid:\t";
  for (Lines lines(Text(bytes, static_cast<size_t>(size))); lines.next();) {
    if (!lines.line().starts_with(kNsPid)) continue;
    return lines.line().find('\t', kNsPid.size()) == Text::npos;
  }
  return true;
}

/// `self` alone does not prove it: the caller may happen to have the same number in the procfs of
/// an outer pid namespace as in its own.
bool has_same_pids(int procfd, int& unknown) {
  char self[16];
  const ssize_t size = readlinkat(procfd, "self", self, sizeof self);
  int pid = 0;
  return size > 0 && std::from_chars(self, self + size, pid).ec == std::errc() && pid == getpid() &&
         is_innermost(procfd, unknown);
}

}  // namespace

ProcRoot open_proc_root(const char* path) {
  ProcRoot root;
  root.fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root.fd < 0) return root;
  root.is_procfs = is_procfs(root.fd);
  root.same_pids = root.is_procfs && has_same_pids(root.fd, root.unknown);
  root.is_default = is_slash_proc(root.fd);
  return root;
}

}  // namespace episcope
