/*
 * Writes a known number of bytes to a file that did not exist before, fsyncs it, prints the number, and
 * stays until its standard input ends (so that it can still be measured).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t kBlock = 65536;

static int fail_usage(void) {
  fputs(
      "usage: writer --path FILE --bytes N [--direct]\n"
      "  --direct   O_DIRECT in whole blocks of 4096 (N must be a multiple of it)\n",
      stderr);
  return 2;
}

static int fail(const char* what) {
  fprintf(stderr, "writer: %s: %s\n", what, strerror(errno));
  return 1;
}

int main(int argc, char** argv) {
  const char* path = NULL;
  long long bytes = -1;
  int direct = 0;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--direct") == 0) {
      direct = 1;
    } else if (strcmp(argv[i], "--path") == 0 && i + 1 < argc) {
      path = argv[++i];
    } else if (strcmp(argv[i], "--bytes") == 0 && i + 1 < argc) {
      char* end = NULL;
      bytes = strtoll(argv[++i], &end, 10);
      if (*end != '\0') return fail_usage();
    } else {
      return fail_usage();
    }
  }
  if (path == NULL || bytes < 0 || (direct && bytes % 4096 != 0)) return fail_usage();

  void* block = NULL;
  if (posix_memalign(&block, 4096, kBlock) != 0) return fail("posix_memalign");
  memset(block, 0xa5, kBlock);
  const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | (direct ? O_DIRECT : 0), 0644);
  if (fd < 0) return fail(path);
  for (long long left = bytes; left > 0;) {
    const size_t want = left < (long long)kBlock ? (size_t)left : kBlock;
    const ssize_t wrote = write(fd, block, want);
    if (wrote < 0) return fail("write");
    left -= wrote;
  }
  if (fsync(fd) != 0) return fail("fsync");
  printf("%lld\n", bytes);
  fflush(stdout);

  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  close(fd);
  free(block);
  return 0;
}
