// A leaf of the cgroup2 hierarchy of this machine, where one may be made; removed at the end.
#pragma once

#include <string>

namespace episcope::test {

class Leaf {
 public:
  /// Skips the test where it is false afterwards.
  Leaf();
  Leaf(const Leaf&) = delete;
  Leaf& operator=(const Leaf&) = delete;
  ~Leaf() { remove(); }
  explicit operator bool() const { return made_; }

  std::string path() const { return mount_ + "/" + name_; }
  const std::string& mount() const { return mount_; }
  const std::string& name() const { return name_; }
  bool put(const char* file, const std::string& text) const;
  bool is_empty() const;
  void remove();

 private:
  std::string mount_;
  std::string name_;
  bool made_ = false;
};

}  // namespace episcope::test
