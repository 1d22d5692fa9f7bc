/*
 * episcope-exec <error-fd> <gate-fd, or -> <fd of cgroup.procs, or -> <command> [argument...]
 *
 * Moves itself into a cgroup and becomes the command: same pid, the command's image wholly inside.
 * cgroup.procs was opened by whoever started it: no path can lead elsewhere by now, and the right
 * to move is the opener's, also where this process runs as another user. With a gate it waits in
 * between until a byte comes from there: until then whoever started it has the process, and may
 * move it, limit it and begin to measure it. A gate that closes ends it.
 *
 * The error descriptor closes at the exec; when there is none, it carries "<stage> <errno>\n"
 * (stage: cgroup, exec) and the exit status is the shell's: 127 for a command that does not exist,
 * else 126. Where it waits at the gate it has written "ready\n" first.
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

/* A descriptor that the command does not get; -1 for anything else. */
static int own_descriptor(const char *text) {
  char *end = NULL;
  const long fd = strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || fd < 0) return -1;
  return fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0 ? (int)fd : -1;
}

/* "0" is whoever writes it: no pid to be wrong about, in any pid namespace. */
static int enter_cgroup(int procs_fd) {
  ssize_t written;
  do {
    written = write(procs_fd, "0", 1);
  } while (written < 0 && errno == EINTR);
  return written == 1 ? 0 : -1;
}

/* False when the gate closes instead: whoever started us has ended, or does not want the command.
 */
static int pass_gate(int error_fd, int gate_fd) {
  char byte;
  ssize_t got;
  if (write(error_fd, "ready\n", 6) != 6) return 0;
  do {
    got = read(gate_fd, &byte, 1);
  } while (got < 0 && errno == EINTR);
  return got == 1;
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
