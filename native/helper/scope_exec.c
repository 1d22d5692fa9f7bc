/*
 * episcope-exec <error-fd> <cgroup.procs path, or -> <command> [argument...]
 *
 * Moves itself into a cgroup and becomes the command: same pid, the command's image wholly inside.
 * The error descriptor closes at the exec; when there is none, it carries "<stage> <errno>\n"
 * (stage: cgroup, exec) and the exit status is the shell's: 127 for a command that does not exist,
 * else 126.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

static int fail(int error_fd, const char *stage) {
  const int error = errno;
  char text[64];
  const int length = snprintf(text, sizeof text, "%s %d\n", stage, error);
  const ssize_t written = write(error_fd, text, (size_t)length);
  (void)written; /* nobody listens any more: the exit status is all that is left to tell */
  return error == ENOENT && strcmp(stage, "exec") == 0 ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* "0" is whoever writes it: no pid to be wrong about, in any pid namespace. */
static int enter_cgroup(const char *procs_path) {
  const int fd = open(procs_path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -1;
  ssize_t written;
  do {
    written = write(fd, "0", 1);
  } while (written < 0 && errno == EINTR);
  const int error = errno;
  close(fd);
  errno = error;
  return written == 1 ? 0 : -1;
}

/* Node ignores SIGPIPE, and an ignored signal survives an exec; libuv resets it, this does not rely
 * on that. */
static void default_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGXFSZ, SIG_DFL);
}

int main(int argc, char **argv) {
  char *end = NULL;
  const long error_fd = argc < 4 ? -1 : strtol(argv[1], &end, 10);
  if (error_fd < 0 || *end != '\0' || fcntl((int)error_fd, F_SETFD, FD_CLOEXEC) != 0) {
    fputs("usage: episcope-exec <error-fd> <cgroup.procs | -> <command> [argument...]\n", stderr);
    return EXIT_USAGE;
  }
  if (strcmp(argv[2], "-") != 0 && enter_cgroup(argv[2]) != 0) return fail((int)error_fd, "cgroup");
  default_signals();
  execvp(argv[3], argv + 3);
  return fail((int)error_fd, "exec");
}
