// Whether a cgroup holds the calling process: real leaves, and trees whose lists say so.
#include "../core/own_membership.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "../core/owned_descriptor.h"
#include "check.h"
#include "child.h"
#include "leaf.h"
#include "temp_tree.h"

namespace episcope::test {
namespace {

int ask(const std::string& path) {
  const OwnedDescriptor dirfd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return dirfd.is_open() ? why_not_stopped(dirfd.get()) : errno;
}

std::string pids_without_us(size_t count) {
  std::string text;
  for (size_t n = 0; n < count; ++n) text += std::to_string(getpid() + 1) + "\n";
  return text;
}

}  // namespace

TEST(own_membership_is_what_the_list_says_however_long_it_is) {
  TempTree tree;
  tree.write("cgroup.procs", pids_without_us(20'000));
  CHECK_EQUAL(ask(tree.root()), 0);
  tree.write("cgroup.procs", pids_without_us(20'000) + std::to_string(getpid()) + "\n");
  CHECK_EQUAL(ask(tree.root()), EBUSY);
}

TEST(own_membership_is_found_below) {
  TempTree tree;
  tree.write("cgroup.procs", "0\n1\n");
  tree.write("a/b/cgroup.procs", std::to_string(getpid()) + "\n");
  CHECK_EQUAL(ask(tree.root()), EBUSY);
}

TEST(own_membership_that_cannot_be_read_is_told) {
  TempTree tree;
  tree.write("a/cgroup.procs/file", "");
  CHECK_EQUAL(ask(tree.root()), EISDIR);
}

TEST(own_membership_of_a_real_cgroup) {
  Leaf leaf;
  if (!leaf) return;
  CHECK_EQUAL(ask(leaf.path()), 0);
  Child inside([&leaf](Child&) {
    if (!leaf.put("cgroup.procs", "0")) return 77;
    return ask(leaf.path()) == EBUSY ? 0 : 1;
  });
  CHECK_EQUAL(inside.reap(), 0);
}

TEST(own_membership_of_a_threaded_cgroup_is_that_of_a_thread) {
  Leaf leaf;
  if (!leaf) return;
  const std::string below = leaf.path() + "/threads";
  CHECK(mkdir(below.c_str(), 0755) == 0);
  Child inside([&leaf, &below](Child&) {
    if (!leaf.put("cgroup.procs", "0") || !leaf.put("threads/cgroup.type", "threaded")) return 77;
    if (ask(below) != 0) return 1;
    if (!leaf.put("threads/cgroup.threads", "0")) return 77;
    return ask(below) == EBUSY && ask(leaf.path()) == EBUSY ? 0 : 2;
  });
  CHECK_EQUAL(inside.reap(), 0);
  CHECK(rmdir(below.c_str()) == 0);
}

}  // namespace episcope::test
