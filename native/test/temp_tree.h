// A directory of fixture files that is removed at the end.
#pragma once

#include <string>

namespace episcope::test {

class TempTree {
 public:
  TempTree();
  TempTree(const TempTree&) = delete;
  TempTree& operator=(const TempTree&) = delete;
  ~TempTree();

  const std::string& root() const { return root_; }
  std::string path(const std::string& name) const { return root_ + "/" + name; }
  void make_directory(const std::string& name) const;
  /// Writes the file, with the directories above it. What is there is overwritten in place.
  void write(const std::string& name, const std::string& text) const;
  /// A file, or a directory with all that is in it.
  void remove(const std::string& name) const;

 private:
  std::string root_;
};

/// False with errno where the kernel refused the write.
bool write_file(const std::string& path, const std::string& text);

}  // namespace episcope::test
