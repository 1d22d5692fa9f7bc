#include "temp_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <filesystem>

#include "check.h"

namespace episcope::test {
namespace fs = std::filesystem;

TempTree::TempTree() {
  const char* parent = std::getenv("TMPDIR");
  char real[PATH_MAX];
  if (realpath(parent != nullptr ? parent : "/tmp", real) == nullptr) std::abort();
  std::string name = std::string(real) + "/episcope-test-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) std::abort();
  root_ = name;
}

TempTree::~TempTree() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

void TempTree::make_directory(const std::string& name) const {
  std::error_code error;
  fs::create_directories(path(name), error);
  CHECK(!error);
}

void TempTree::write(const std::string& name, const std::string& text) const {
  std::error_code error;
  fs::create_directories(fs::path(path(name)).parent_path(), error);
  CHECK(!error && write_file(path(name), text));
}

void TempTree::remove(const std::string& name) const {
  std::error_code error;
  fs::remove_all(path(name), error);
  CHECK(!error);
}

bool write_file(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  const ssize_t size = ::write(fd, text.data(), text.size());
  close(fd);
  return size == static_cast<ssize_t>(text.size());
}

}  // namespace episcope::test
