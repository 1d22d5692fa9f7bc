/*
 * For LD_PRELOAD: fsync of a directory fails with the errno that DIRSYNC_ERRNO has, as file systems do it that know no
 * such thing (cifs, FUSE), or that are broken.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

int fsync(int fd) {
  const char* failure = getenv("DIRSYNC_ERRNO");
  struct stat status;
  if (failure != NULL && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    errno = atoi(failure);
    return -1;
  }
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return real(fd);
}
