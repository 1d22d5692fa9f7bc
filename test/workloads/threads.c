/*
 * A process of many threads that wait: `threads N [MIB] [leave]`. With MIB it holds that much memory; with `leave` its
 * first thread ends when the others wait. Prints `ready` then. A line on its standard input makes one of the threads
 * fork a child that waits as well, and answers with its pid; the end of input ends the process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t all_started;
static size_t threads;

static void* idle(void* unused) {
  (void)unused;
  pthread_barrier_wait(&all_started);
  for (;;) pause();
  return NULL;
}

static pid_t fork_waiting(void) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == parent)
    for (;;) pause();
  _exit(0);
}

static void* serve(void* unused) {
  (void)unused;
  pthread_barrier_wait(&all_started);
  puts("ready");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    printf("%d\n", (int)fork_waiting());
    fflush(stdout);
  }
  _exit(0);
  return NULL;
}

int main(int argc, char** argv) {
  threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
  const size_t bytes = argc > 2 ? strtoul(argv[2], NULL, 10) << 20 : 0;
  if (threads < 1) {
    fputs("usage: threads N [MIB] [leave]\n", stderr);
    return 2;
  }
  if (bytes > 0) {
    char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    for (size_t at = 0; at < bytes; at += 4096) memory[at] = 1;
  }
  pthread_barrier_init(&all_started, NULL, (unsigned)threads);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (size_t i = 0; i < threads; i++) {
    pthread_t thread;
    const int error = pthread_create(&thread, &small, i + 1 == threads ? serve : idle, NULL);
    if (error != 0) {
      fprintf(stderr, "threads: %s\n", strerror(error));
      return 1;
    }
  }
  if (argc > 3 && strcmp(argv[3], "leave") == 0) pthread_exit(NULL);
  for (;;) pause();
}
