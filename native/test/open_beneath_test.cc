// What is opened beneath a directory is its own: with openat2, and on a kernel without.
#include "../core/open_beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "check.h"
#include "child.h"
#include "old_kernel.h"
#include "temp_tree.h"

namespace episcope {
namespace {

using test::TempTree;

constexpr int kDirectory = O_RDONLY | O_DIRECTORY;

/// 0 or the errno of an open; what was opened is closed.
int errno_of(int fd) {
  const int error = fd < 0 ? errno : 0;
  if (fd >= 0) close(fd);
  return error;
}

/// 0, or the number of the promise that is not kept.
int broken_promise(const TempTree& tree) {
  const int root = open(tree.root().c_str(), kDirectory | O_CLOEXEC);
  const int top = open("/", kDirectory | O_CLOEXEC);
  const auto child = [root](const char* name, int flags = kDirectory) {
    return errno_of(open_child(root, name, flags));
  };
  if (child("inside") != 0 || child("file", O_WRONLY) != 0) return 1;
  // ENOTDIR where O_DIRECTORY is asked of the link itself.
  const int link = child("link");
  if (link != ELOOP && link != ENOTDIR) return 2;
  if (child("file-link", O_WRONLY) != ELOOP) return 3;
  for (const char* name : {"", ".", "..", "inside/deeper", "/"}) {
    if (child(name) != EINVAL) return 4;
  }
  if (child("none") != ENOENT || child("file") != ENOTDIR) return 5;
  if (errno_of(open_child(top, "proc", kDirectory)) != EXDEV) return 6;
  std::string through = tree.path("link/deeper");
  const int way = errno_of(open_directory_without_links(AT_FDCWD, through.data(), 0));
  if (way != ELOOP && way != ENOTDIR) return 7;
  std::string plain = tree.path("inside//deeper/");
  if (errno_of(open_directory_without_links(AT_FDCWD, plain.data(), 0)) != 0) return 8;
  const int kept = open_child(root, "inside", kDirectory);
  if ((fcntl(kept, F_GETFD) & FD_CLOEXEC) == 0) return 9;
  close(kept);
  close(root);
  close(top);
  return 0;
}

void make(const TempTree& tree) {
  tree.make_directory("inside/deeper");
  tree.write("file", "");
  CHECK(symlink("inside", tree.path("link").c_str()) == 0);
  CHECK(symlink("file", tree.path("file-link").c_str()) == 0);
}

TEST(open_beneath_leads_nowhere_else) {
  const TempTree tree;
  make(tree);
  CHECK_EQUAL(broken_promise(tree), 0);
}

TEST(open_beneath_leads_nowhere_else_where_openat2_is_missing) {
  const TempTree tree;
  make(tree);
  test::Child child([&tree](test::Child&) {
    return test::forget_new_system_calls() ? broken_promise(tree) : 77;
  });
  const int result = child.reap();
  if (result == 77) {
    test::skip("no seccomp filter may be set");
  } else {
    CHECK_EQUAL(result, 0);
  }
}

}  // namespace
}  // namespace episcope
