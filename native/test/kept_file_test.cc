// A kernel file is read whole, bounded and fresh, whatever the kernel interrupts.
#include "../core/kept_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "child.h"
#include "temp_tree.h"

namespace episcope {
namespace {

using test::Child;
using test::TempTree;

const std::string kText = "usage_usec 123456\n";
int calls = 0;

/// Every other call is interrupted; the others give at most three bytes.
ssize_t grudging_pread(int, void* bytes, size_t size, off_t offset) {
  if (++calls % 2 == 1) {
    errno = EINTR;
    return -1;
  }
  const size_t at = std::min(static_cast<size_t>(offset), kText.size());
  const size_t n = std::min({size, size_t{3}, kText.size() - at});
  std::memcpy(bytes, kText.data() + at, n);
  return static_cast<ssize_t>(n);
}

struct Directory {
  explicit Directory(const std::string& path)
      : fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  ~Directory() { close(fd); }
  int fd;
};

std::string text_of(const ReadBuffer& buffer) { return {buffer.bytes, buffer.size}; }

TEST(kept_file_goes_on_after_EINTR_and_short_reads) {
  char bytes[64];
  size_t size = 0;
  const ReadResult result = read_whole(-1, bytes, sizeof bytes, size, grudging_pread);
  CHECK(result.status == ReadStatus::kOk);
  CHECK(std::string(bytes, size) == kText);
  // A text that ends where the buffer does is whole, and one byte more is too large.
  CHECK(read_whole(-1, bytes, kText.size(), size, grudging_pread).status == ReadStatus::kOk);
  CHECK(read_whole(-1, bytes, kText.size() - 1, size, grudging_pread).status ==
        ReadStatus::kTooLarge);
}

TEST(kept_file_reads_64_KiB_and_refuses_one_byte_more_INV_TL05) {
  TempTree tree;
  const Directory directory(tree.root());
  const auto buffer = std::make_unique<ReadBuffer>();
  KeptFile file("f");
  tree.write("f", std::string(kMaxTelemetryFileSize, 'x'));
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kOk);
  CHECK_EQUAL(buffer->size, kMaxTelemetryFileSize);
  tree.write("f", std::string(kMaxTelemetryFileSize + 1, 'x'));
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kTooLarge);
  tree.write("f", "fine again\n");
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kOk);
  CHECK(text_of(*buffer) == "fine again\n");
}

TEST(kept_file_tries_again_after_the_file_appears_and_reads_it_fresh) {
  TempTree tree;
  const Directory directory(tree.root());
  const auto buffer = std::make_unique<ReadBuffer>();
  KeptFile file("f");
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kAbsent);
  CHECK_EQUAL(buffer->size, 0);
  tree.write("f", "1\n");
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kOk);
  const int fd = file.fd();
  tree.write("f", "22\n");
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kOk);
  CHECK(text_of(*buffer) == "22\n");
  CHECK(fd >= 0 && file.fd() == fd);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST(kept_file_that_is_not_the_kernels_is_opened_for_each_read) {
  TempTree tree;
  const Directory directory(tree.root());
  const auto buffer = std::make_unique<ReadBuffer>();
  const int kept = DescriptorBudget::kept();
  KeptFile file("f", false);
  tree.write("f", "1\n");
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kOk);
  CHECK(file.fd() == -1);
  CHECK_EQUAL(DescriptorBudget::kept(), kept);
  tree.remove("f");
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kAbsent);
  tree.write("f", "2\n");
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kOk);
  CHECK(text_of(*buffer) == "2\n");
}

TEST(kept_file_follows_no_symlink_and_hangs_on_no_fifo) {
  TempTree tree;
  const Directory directory(tree.root());
  const auto buffer = std::make_unique<ReadBuffer>();
  tree.write("target", "1\n");
  CHECK(symlink("target", tree.path("link").c_str()) == 0);
  CHECK(mkfifo(tree.path("fifo").c_str(), 0600) == 0);
  tree.make_directory("directory");
  const ReadResult link = KeptFile("link").read(directory.fd, *buffer);
  CHECK(link.status == ReadStatus::kError && link.error_number == ELOOP);
  CHECK(KeptFile("fifo").read(directory.fd, *buffer).status == ReadStatus::kError);
  const ReadResult below = KeptFile("directory").read(directory.fd, *buffer);
  CHECK(below.status == ReadStatus::kError && below.error_number == EISDIR);
}

TEST(kept_file_is_dead_after_its_process_and_is_opened_anew) {
  const auto buffer = std::make_unique<ReadBuffer>();
  Child child([](Child& self) { return self.hear(); });
  const Directory directory("/proc/" + std::to_string(child.pid()));
  KeptFile file("stat");
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kOk);
  child.tell();
  child.reap();
  const int kept = DescriptorBudget::kept();
  CHECK(file.read(directory.fd, *buffer).status == ReadStatus::kDead);
  CHECK(file.fd() == -1);
  CHECK_EQUAL(DescriptorBudget::kept(), kept - 1);
  CHECK(file.read(directory.fd, *buffer).status != ReadStatus::kOk);
}

TEST(kept_file_reads_right_beyond_the_descriptor_budget) {
  // In a process of its own: the limit is asked once.
  Child child([](Child&) {
    const rlimit few = {40, 40};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
    TempTree tree;
    const Directory directory(tree.root());
    const auto buffer = std::make_unique<ReadBuffer>();
    std::vector<std::string> names(100);
    std::vector<KeptFile> files;
    for (size_t i = 0; i < names.size(); i++) {
      names[i] = "file" + std::to_string(i);
      tree.write(names[i], names[i]);
      files.emplace_back(names[i].c_str());
    }
    for (int round = 0; round < 2; round++) {
      for (KeptFile& file : files) {
        if (file.read(directory.fd, *buffer).status != ReadStatus::kOk) return 2;
        if (text_of(*buffer) != file.name()) return 3;
      }
      if (DescriptorBudget::kept() != 20) return 4;
    }
    for (size_t i = 0; i < 10; i++) files[i].close();
    if (DescriptorBudget::kept() != 10) return 5;
    // What was given back another file may keep.
    if (files[50].read(directory.fd, *buffer).status != ReadStatus::kOk) return 6;
    if (files[50].fd() < 0 || DescriptorBudget::kept() != 11) return 7;
    files.clear();
    return DescriptorBudget::kept() == 0 ? 0 : 8;
  });
  CHECK_EQUAL(child.reap(), 0);
}

}  // namespace
}  // namespace episcope
