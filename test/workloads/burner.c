/*
 * Burns a known amount of cpu and prints, as the very last thing, what the kernel charged for it:
 *
 *   {"user_us":…,"system_us":…,"maxrss_kb":…,"launch_us":…}
 *
 * The figures are getrusage's of this process and of everything it reaped, plus what each daemonized
 * grandchild said of itself through a pipe. Fork and exit cost real cpu, so this line is the truth to
 * compare with, and not the milliseconds that were asked for. Of these, `launch_us` was charged before
 * main(): to the fork of whoever started it, and to what that was until it became this program.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct report {
  int64_t user_us;
  int64_t system_us;
};

static const char usage[] =
    "usage: burner [--ms N] [--children N --each-ms N] [--parallel N] [--daemonize]\n"
    "  --ms N         burn N ms of cpu in this process\n"
    "  --children N   then fork N children, each of which burns --each-ms\n"
    "  --each-ms N    cpu of one child, default 10\n"
    "  --parallel N   children alive at the same time, default 1\n"
    "  --daemonize    the children are double-forked, in sessions of their own, never reaped here\n";

static void fail(const char* what) {
  fprintf(stderr, "burner: %s: %s\n", what, strerror(errno));
  exit(1);
}

static long count_of(const char* option, const char* text) {
  char* end = NULL;
  errno = 0;
  const long value = text == NULL ? -1 : strtol(text, &end, 10);
  if (text == NULL || end == text || *end != '\0' || errno != 0 || value < 0 || value > 3600000) {
    fprintf(stderr, "burner: %s wants a whole number\n%s", option, usage);
    exit(2);
  }
  return value;
}

static int64_t cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void burn_ms(long ms) {
  const int64_t end = cpu_ns() + ms * 1000000;
  volatile uint64_t sink = 1;
  while (cpu_ns() < end) {
    for (int i = 0; i < 2000; i++) sink = sink * 6364136223846793005u + 1442695040888963407u;
  }
}

static int64_t us_of(struct timeval t) { return (int64_t)t.tv_sec * 1000000 + t.tv_usec; }

static struct rusage usage_of(int who) {
  struct rusage usage;
  if (getrusage(who, &usage) != 0) fail("getrusage");
  return usage;
}

/* The middle process leaves at once, so the grandchild is an orphan from its first breath. */
static void start_daemon(long each_ms, int report_fd) {
  const pid_t middle = fork();
  if (middle < 0) fail("fork");
  if (middle == 0) {
    const pid_t grandchild = fork();
    if (grandchild < 0) fail("fork");
    if (grandchild > 0) _exit(0);
    setsid();
    burn_ms(each_ms);
    const struct rusage own = usage_of(RUSAGE_SELF);
    const struct report report = {us_of(own.ru_utime), us_of(own.ru_stime)};
    if (write(report_fd, &report, sizeof report) != sizeof report) _exit(1);
    _exit(0);
  }
  if (waitpid(middle, NULL, 0) != middle) fail("waitpid");
}

static struct report run_daemons(long children, long each_ms, long parallel) {
  int fds[2];
  if (pipe(fds) != 0) fail("pipe");
  struct report total = {0, 0};
  long started = 0;
  for (long ended = 0; ended < children; ended++) {
    while (started < children && started - ended < parallel) {
      start_daemon(each_ms, fds[1]);
      started++;
    }
    struct report one;
    if (read(fds[0], &one, sizeof one) != sizeof one) fail("read");
    total.user_us += one.user_us;
    total.system_us += one.system_us;
  }
  close(fds[0]);
  close(fds[1]);
  return total;
}

static void run_children(long children, long each_ms, long parallel) {
  long started = 0;
  for (long ended = 0; ended < children; ended++) {
    while (started < children && started - ended < parallel) {
      const pid_t child = fork();
      if (child < 0) fail("fork");
      if (child == 0) {
        burn_ms(each_ms);
        _exit(0);
      }
      started++;
    }
    if (wait(NULL) < 0) fail("wait");
  }
}

int main(int argc, char** argv) {
  const struct rusage launch = usage_of(RUSAGE_SELF);
  long own_ms = 0;
  long children = 0;
  long each_ms = 10;
  long parallel = 1;
  int daemonize = 0;
  for (int i = 1; i < argc; i++) {
    const char* option = argv[i];
    if (strcmp(option, "--daemonize") == 0) {
      daemonize = 1;
    } else if (strcmp(option, "--ms") == 0) {
      own_ms = count_of(option, argv[++i]);
    } else if (strcmp(option, "--children") == 0) {
      children = count_of(option, argv[++i]);
    } else if (strcmp(option, "--each-ms") == 0) {
      each_ms = count_of(option, argv[++i]);
    } else if (strcmp(option, "--parallel") == 0) {
      parallel = count_of(option, argv[++i]);
    } else {
      fputs(usage, stderr);
      return 2;
    }
  }
  if (parallel == 0 || (own_ms == 0 && children == 0)) {
    fputs(usage, stderr);
    return 2;
  }

  struct report daemons = {0, 0};
  if (own_ms > 0) burn_ms(own_ms);
  if (children > 0 && daemonize) daemons = run_daemons(children, each_ms, parallel);
  if (children > 0 && !daemonize) run_children(children, each_ms, parallel);

  const struct rusage reaped = usage_of(RUSAGE_CHILDREN);
  const struct rusage own = usage_of(RUSAGE_SELF);
  const long maxrss = own.ru_maxrss > reaped.ru_maxrss ? own.ru_maxrss : reaped.ru_maxrss;
  printf("{\"user_us\":%lld,\"system_us\":%lld,\"maxrss_kb\":%ld,\"launch_us\":%lld}\n",
         (long long)(us_of(own.ru_utime) + us_of(reaped.ru_utime) + daemons.user_us),
         (long long)(us_of(own.ru_stime) + us_of(reaped.ru_stime) + daemons.system_us), maxrss,
         (long long)(us_of(launch.ru_utime) + us_of(launch.ru_stime)));
  return 0;
}
