/*
 * Holds a known amount of anonymous memory. Prints `ready` once every page was touched, then obeys its
 * standard input: a line `free` gives the memory back (answer: `freed`), the end of input ends it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int fail_usage(void) {
  fputs("usage: allocator --mib N\n", stderr);
  return 2;
}

int main(int argc, char** argv) {
  if (argc != 3 || strcmp(argv[1], "--mib") != 0) return fail_usage();
  char* end = NULL;
  const long mib = strtol(argv[2], &end, 10);
  if (end == argv[2] || *end != '\0' || mib < 1 || mib > 65536) return fail_usage();

  const size_t bytes = (size_t)mib << 20;
  char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    fprintf(stderr, "allocator: mmap: %s\n", strerror(errno));
    return 1;
  }
  for (size_t at = 0; at < bytes; at += 4096) memory[at] = 1;
  puts("ready");
  fflush(stdout);

  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strcmp(line, "free\n") == 0 && memory != NULL) {
      munmap(memory, bytes);
      memory = NULL;
      puts("freed");
      fflush(stdout);
    }
  }
  return 0;
}
