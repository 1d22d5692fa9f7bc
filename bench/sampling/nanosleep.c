// The yardstick of lateness: a loop of clock_nanosleep on absolute deadlines that does nothing else.
// nanosleep PERIOD_NS COUNT → one lateness in ns a line.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int64_t period = atoll(argv[1]);
  const long count = atol(argv[2]);
  int64_t* late = calloc((size_t)count, sizeof *late);
  if (period <= 0 || late == NULL) return 2;
  int64_t deadline = monotonic_ns();
  for (long i = 0; i < count; i++) {
    deadline += period;
    const struct timespec until = {deadline / 1000000000, deadline % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
    late[i] = monotonic_ns() - deadline;
  }
  for (long i = 0; i < count; i++) printf("%" PRId64 "\n", late[i]);
  return 0;
}
