/*
 * episcope-exec <error-fd> <gate-fd, or -> <fd of cgroup.procs, or -> <command> [argument...]
 *
 * Moves itself into a cgroup and executes the command with the same pid, so that the command runs
 * inside the cgroup from its first instruction. The parent has opened cgroup.procs: the path cannot
 * be redirected, and the kernel checks the permission of the opener, even if this process runs as
 * another user. With a gate, the process waits after the move until it reads a byte. Until then the
 * parent can move the process, limit it and start to measure it. If the gate closes, it exits.
 *
 * A successful exec closes the error descriptor. If the move or the exec fails, the process writes
 * "<stage> <errno>\n" (stage: cgroup, exec) to it, and exits as a shell does: with 127 if the
 * command does not exist, else 126. At the gate it first writes "ready\n".
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
  (void)written; /* the parent may have gone; the exit status still reports the failure */
  return error == ENOENT && strcmp(stage, "exec") == 0 ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* Parses a descriptor and makes it close-on-exec; returns -1 on error. */
static int own_descriptor(const char *text) {
  char *end = NULL;
  const long fd = strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || fd < 0) return -1;
  return fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0 ? (int)fd : -1;
}

/* "0" means the writing process, so no pid has to be valid in this pid namespace. */
static int enter_cgroup(int procs_fd) {
  ssize_t written;
  do {
    written = write(procs_fd, "0", 1);
  } while (written < 0 && errno == EINTR);
  return written == 1 ? 0 : -1;
}

/* Returns 0 if the gate closes: the parent has exited or has cancelled the command. */
static int pass_gate(int error_fd, int gate_fd) {
  char byte;
  ssize_t got;
  if (write(error_fd, "ready\n", 6) != 6) return 0;
  do {
    got = read(gate_fd, &byte, 1);
  } while (got < 0 && errno == EINTR);
  return got == 1;
}

/* Node ignores SIGPIPE, and ignored signals stay ignored across exec. libuv resets them, but this
 * does not rely on it. */
static void default_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGXFSZ, SIG_DFL);
}

int main(int argc, char **argv) {
  const int complete = argc >= 5;
  const int gated = complete && strcmp(argv[2], "-") != 0;
  const int moves = complete && strcmp(argv[3], "-") != 0;
  const int error_fd = complete ? own_descriptor(argv[1]) : -1;
  const int gate_fd = gated ? own_descriptor(argv[2]) : -1;
  const int procs_fd = moves ? own_descriptor(argv[3]) : -1;
  if (error_fd < 0 || (gated && gate_fd < 0) || (moves && procs_fd < 0)) {
    fputs("usage: episcope-exec <error-fd> <gate-fd | -> <procs-fd | -> <command> [argument...]\n",
          stderr);
    return EXIT_USAGE;
  }
  if (moves && enter_cgroup(procs_fd) != 0) return fail(error_fd, "cgroup");
  if (gated && !pass_gate(error_fd, gate_fd)) return EXIT_USAGE;
  default_signals();
  execvp(argv[4], argv + 4);
  return fail(error_fd, "exec");
}
