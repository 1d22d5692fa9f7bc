#include "leaf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "check.h"

namespace episcope::test {
namespace {

/// The mount point of cgroup2, from /proc/self/mountinfo.
std::string cgroup2_mount() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 5; i++) fields >> field;
    return field;
  }
  return {};
}

}  // namespace

Leaf::Leaf() : mount_(cgroup2_mount()), name_("episcope-test-" + std::to_string(getpid())) {
  if (mount_.empty()) {
    skip("no cgroup2 mount");
  } else if (mkdir(path().c_str(), 0755) != 0) {
    skip(std::string("no cgroup can be made: ") + std::strerror(errno));
  } else {
    made_ = true;
  }
}

bool Leaf::put(const char* file, const std::string& text) const {
  const int fd = open((path() + "/" + file).c_str(), O_WRONLY | O_CLOEXEC);
  const bool written =
      fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return written;
}

bool Leaf::is_empty() const {
  std::ifstream events(path() + "/cgroup.events");
  std::string text;
  return std::getline(events, text) && text == "populated 0";
}

void Leaf::remove() {
  if (made_) made_ = rmdir(path().c_str()) != 0;
}

}  // namespace episcope::test
