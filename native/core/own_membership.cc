#include "own_membership.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "directory_entries.h"
#include "open_beneath.h"
#include "owned_descriptor.h"
#include "schema.h"

namespace episcope {
namespace {

// The list is read in pieces and its size is not limited, so that a cgroup with very many processes
// can be killed.
constexpr size_t kPiece = 4096;

bool is_gone(int error_number) { return error_number == ENOENT || error_number == ENODEV; }

/// EBUSY if a thread of this process has this number, ESRCH if none has; any other errno leaves it
/// open.
int thread_errno(int tid) { return syscall(SYS_tgkill, getpid(), tid, 0) == 0 ? EBUSY : errno; }

/// Returns EBUSY as soon as `look` returns it for a number in the file, else the last errno other
/// than ESRCH.
template <typename Look>
int look_through(int dirfd, const char* name, Look look) {
  const OwnedDescriptor file(openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.is_open()) return errno;
  int worst = 0;
  int number = 0;
  char bytes[kPiece];
  for (;;) {
    const ssize_t size = read(file.get(), bytes, sizeof bytes);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    if (size == 0) return worst;
    for (ssize_t at = 0; at < size; ++at) {
      if (bytes[at] >= '0' && bytes[at] <= '9') {
        number = number * 10 + (bytes[at] - '0');
        continue;
      }
      // A process of an outer pid namespace is listed as 0.
      const int error = number == 0 ? 0 : look(number);
      if (error == EBUSY) return error;
      if (error != 0 && error != ESRCH) worst = error;
      number = 0;
    }
  }
}

int look_in(int dirfd) {
  const int own = getpid();
  int error =
      look_through(dirfd, "cgroup.procs", [own](int pid) { return pid == own ? EBUSY : 0; });
  // A threaded cgroup lists only threads, which may include some of ours.
  if (error == EOPNOTSUPP) error = look_through(dirfd, "cgroup.threads", thread_errno);
  return is_gone(error) ? 0 : error;
}

int walk(int dirfd, int depth);

int look_in_child(int dirfd, const char* name, int depth) {
  if (depth == 0) return ELOOP;
  // EXDEV: a mount hides a cgroup that may contain us.
  const OwnedDescriptor child(open_child(dirfd, name, O_RDONLY | O_DIRECTORY));
  if (!child.is_open()) return is_gone(errno) ? 0 : errno;
  return walk(child.get(), depth - 1);
}

int look_below(int dirfd, int depth) {
  int worst = 0;
  const int unlisted = for_each_subdirectory(dirfd, [&](const char* name) {
    if (worst == EBUSY) return;
    const int error = look_in_child(dirfd, name, depth);
    if (error != 0) worst = error;
  });
  return worst == EBUSY || unlisted == 0 || is_gone(unlisted) ? worst : unlisted;
}

int walk(int dirfd, int depth) {
  const int here = look_in(dirfd);
  if (here == EBUSY) return here;
  const int below = look_below(dirfd, depth);
  return below != 0 ? below : here;
}

}  // namespace

int why_not_stopped(int dirfd) { return walk(dirfd, kMaxCgroupDepth); }

}  // namespace episcope
