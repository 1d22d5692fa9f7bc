/*
 * Starts workloads on command, at the price of a fork of this small program: each line `DIR` of its
 * input starts a process that enters the cgroup DIR, forks a child, says `DIR PID` and burns cpu, as
 * its child does, until both are killed. The kernel reaps them. The end of input ends this program,
 * not what it started.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void fail(const char* what) {
  fprintf(stderr, "launcher: %s: %s\n", what, strerror(errno));
  _exit(1);
}

static void enter(const char* directory) {
  char path[4200];
  snprintf(path, sizeof path, "%s/cgroup.procs", directory);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "0", 1) != 1) fail(path);
  close(fd);
}

/* In bursts, so that many of them leave the machine to whoever measures them. */
__attribute__((noreturn)) static void burn_for_ever(void) {
  const struct timespec pause = {0, 20 * 1000 * 1000};
  volatile unsigned long sink = 1;
  for (;;) {
    for (int i = 0; i < 20000; i++) sink = sink * 6364136223846793005u + 1442695040888963407u;
    nanosleep(&pause, NULL);
  }
}

__attribute__((noreturn)) static void workload(const char* directory) {
  enter(directory);
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child > 0) {
    char line[4200];
    const int length = snprintf(line, sizeof line, "%s %d\n", directory, (int)getpid());
    if (write(STDOUT_FILENO, line, (size_t)length) != length) fail("write");
  }
  burn_for_ever();
}

int main(void) {
  signal(SIGCHLD, SIG_IGN);
  char directory[4096];
  while (fgets(directory, sizeof directory, stdin) != NULL) {
    directory[strcspn(directory, "\n")] = '\0';
    const pid_t pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) workload(directory);
  }
  return 0;
}
