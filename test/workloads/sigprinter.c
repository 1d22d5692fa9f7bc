/*
 * Prints `ready <pid>`, then the name of every signal it gets, one a line, each once per delivery. Leaves
 * with the given code after the given number of signals.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail_usage(void) {
  fputs("usage: sigprinter [--count N] [--code N]   (defaults: 2 signals, code 0)\n", stderr);
  return 2;
}

int main(int argc, char** argv) {
  long count = 2;
  long code = 0;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 >= argc) return fail_usage();
    char* end = NULL;
    const long value = strtol(argv[i + 1], &end, 10);
    if (end == argv[i + 1] || *end != '\0' || value < 0 || value > 255) return fail_usage();
    if (strcmp(argv[i], "--count") == 0) {
      count = value;
    } else if (strcmp(argv[i], "--code") == 0) {
      code = value;
    } else {
      return fail_usage();
    }
  }

  /* Blocked before `ready`, so that no signal is lost between that line and the first wait. */
  sigset_t watched;
  sigfillset(&watched);
  sigprocmask(SIG_BLOCK, &watched, NULL);
  printf("ready %ld\n", (long)getpid());
  fflush(stdout);

  for (long seen = 0; seen < count; seen++) {
    int signal = 0;
    if (sigwait(&watched, &signal) != 0) return 1;
    const char* name = sigabbrev_np(signal);
    if (name != NULL) {
      printf("SIG%s\n", name);
    } else {
      printf("SIGRTMIN+%d\n", signal - SIGRTMIN);
    }
    fflush(stdout);
  }
  return (int)code;
}
