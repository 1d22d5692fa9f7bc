// A cgroup directory of fixture files: every word, and why one is missing.
#include "../core/cgroup_reader.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../core/proc_reader.h"
#include "allocations.h"
#include "check.h"
#include "child.h"
#include "old_kernel.h"
#include "temp_tree.h"

namespace episcope {
namespace {

using test::TempTree;

constexpr uint64_t kMs = 1'000'000;

/// A cgroup `c` with every controller, as Linux 6.1 writes it (shortened).
struct Fixture {
  TempTree tree;
  CgroupReader reader;
  std::unique_ptr<ReadBuffer> buffer = std::make_unique<ReadBuffer>();
  Reading out;

  Fixture() {
    put("cpu.stat",
        "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 9\nnr_throttled 4\n"
        "throttled_usec 70\n");
    put("memory.current", "9000\n");
    put("memory.peak", "9500\n");
    put("memory.stat", "anon 4096\nfile 4000\npgfault 50\npgmajfault 8\n");
    put("memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n");
    put("io.stat", "8:0 rbytes=100 wbytes=200 rios=3 wios=4 dbytes=0 dios=0\n");
    put("pids.current", "6\n");
    put("cgroup.events", "populated 1\nfrozen 0\n");
    for (const char* file : {"cpu.pressure", "memory.pressure", "io.pressure"}) {
      put(file,
          "some avg10=0.00 avg60=0.00 avg300=0.00 total=11\n"
          "full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n");
    }
  }

  void put(const char* file, const std::string& text) const {
    tree.write(std::string("c/") + file, text);
  }
  void drop(const char* file) const { tree.remove(std::string("c/") + file); }
  ReadFailure open(const char* path = "c") { return reader.open(tree.root().c_str(), path, false); }
  uint32_t read(uint32_t parts, uint64_t now_ns = 0) {
    return reader.read(parts, now_ns, *buffer, out);
  }
};

void expect_failure(int line, const ReadFailure& got, ReadCode code, const char* file,
                    ParseReason reason, uint32_t offset, int error_number) {
  const auto number = [](auto value) { return static_cast<uint64_t>(value); };
  test::check_equal(number(got.code), number(code), __FILE__, line, "code");
  test::check_equal(number(got.reason), number(reason), __FILE__, line, "reason");
  test::check_equal(got.offset, offset, __FILE__, line, "offset");
  test::check_equal(number(got.error_number), number(error_number), __FILE__, line, "errno");
  test::check(std::strcmp(got.file, file) == 0, __FILE__, line, file);
}

#define FAILURE(got, code, file, error_number) \
  expect_failure(__LINE__, got, ReadCode::code, file, ParseReason::kNone, 0, error_number)
#define PARSE_FAILURE(got, file, reason, offset) \
  expect_failure(__LINE__, got, ReadCode::kCgroupParse, file, ParseReason::reason, offset, 0)

TEST(cgroup_reader_reads_every_word) {
  Fixture f;
  CHECK(!f.open());
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 5000000);
  CHECK_EQUAL(f.out.get(word::kCpuUserNs), 3000000);
  CHECK_EQUAL(f.out.get(word::kCpuSystemNs), 2000000);
  CHECK_EQUAL(f.out.get(word::kCpuNrThrottled), 4);
  CHECK_EQUAL(f.out.get(word::kCpuThrottledNs), 70000);
  CHECK_EQUAL(f.out.get(word::kMemCurrentBytes), 9000);
  CHECK_EQUAL(f.out.get(word::kMemRssBytes), 4096);
  CHECK_EQUAL(f.out.get(word::kMemPeakBytes), 9500);
  CHECK_EQUAL(f.out.get(word::kPageFaultsMajor), 8);
  CHECK_EQUAL(f.out.get(word::kPageFaultsMinor), 42);
  CHECK_EQUAL(f.out.get(word::kIoReadBytes), 100);
  CHECK_EQUAL(f.out.get(word::kIoWriteBytes), 200);
  CHECK_EQUAL(f.out.get(word::kIoReadOps), 3);
  CHECK_EQUAL(f.out.get(word::kIoWriteOps), 4);
  CHECK_EQUAL(f.out.get(word::kOomKills), 1);
  CHECK_EQUAL(f.out.get(word::kPids), 6);
  CHECK_EQUAL(f.out.get(word::kPressureCpuSomeNs), 11000);
  CHECK_EQUAL(f.out.get(word::kPressureMemorySomeNs), 11000);
  CHECK_EQUAL(f.out.get(word::kPressureMemoryFullNs), 5000);
  CHECK_EQUAL(f.out.get(word::kPressureIoSomeNs), 11000);
  CHECK_EQUAL(f.out.get(word::kPressureIoFullNs), 5000);
  CHECK(f.reader.populated(*f.buffer) == Populated::kYes);
  CHECK(!f.reader.frozen(*f.buffer));
  f.put("cgroup.events", "populated 1\nfrozen 1\n");
  CHECK(f.reader.frozen(*f.buffer));
  // Older kernels do not tell.
  f.put("cgroup.events", "populated 0\n");
  CHECK(f.reader.populated(*f.buffer) == Populated::kNo);
  CHECK(!f.reader.frozen(*f.buffer));
  f.drop("cgroup.events");
}

TEST(cgroup_reader_touches_the_words_of_the_asked_parts_only) {
  Fixture f;
  CHECK(!f.open());
  f.out.set(word::kTsMono, 77);
  f.out.set(word::kIoReadBytes, 1);
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  CHECK_EQUAL(f.out.get(word::kTsMono), 77);
  CHECK_EQUAL(f.out.get(word::kIoReadBytes), 1);
  CHECK(!f.out.has(word::kMemRssBytes));
}

TEST(cgroup_reader_refuses_paths_that_lead_elsewhere_INV_TL04) {
  Fixture f;
  f.tree.write("c/file", "");
  CHECK(symlink("c", f.tree.path("link").c_str()) == 0);
  f.tree.make_directory("d");
  CHECK(symlink("../c", f.tree.path("d/link").c_str()) == 0);
  FAILURE(f.open("../c"), kCgroupPath, "", 0);
  FAILURE(f.open("c/../c"), kCgroupPath, "", 0);
  FAILURE(f.open("link"), kCgroupPath, "", ELOOP);
  FAILURE(f.open("d/link"), kCgroupPath, "", ELOOP);
  FAILURE(f.open("link/e"), kCgroupPath, "", ELOOP);
  FAILURE(f.open("c/file"), kCgroupPath, "", ENOTDIR);
  FAILURE(f.open("c/file/e"), kCgroupPath, "", ENOTDIR);
  FAILURE(f.open("gone"), kCgroupNotFound, "", ENOENT);
  FAILURE(f.open(std::string(4097, 'a').c_str()), kCgroupPath, "", 0);
  FAILURE(f.open(std::string(300, 'a').c_str()), kCgroupRead, "", ENAMETOOLONG);
  FAILURE(f.reader.open("relative", "c", false), kCgroupPath, "", 0);
  FAILURE(f.reader.open("", "c", false), kCgroupPath, "", 0);
  FAILURE(f.reader.open(f.tree.path("link").c_str(), "", false), kCgroupPath, "", ELOOP);
  FAILURE(f.reader.open((f.tree.root() + "/d/..").c_str(), "c", false), kCgroupPath, "", 0);
  FAILURE(f.reader.open(std::string(4097, '/').c_str(), "c", false), kCgroupPath, "", 0);
  FAILURE(f.reader.open(f.tree.root().c_str(), "c", true), kNotCgroup2, "", 0);
  FAILURE(f.reader.open(f.tree.root().c_str(), "gone", true), kNotCgroup2, "", 0);
  FAILURE(f.reader.open(f.tree.path("gone").c_str(), "c", true), kCgroupNotFound, "", ENOENT);
  CHECK(!f.reader.is_open());
  CHECK(!f.open("./c//"));
  CHECK(!f.open("/c"));
  CHECK(!f.open(""));
}

TEST(cgroup_reader_checks_every_component_where_openat2_is_missing) {
  Fixture f;
  f.tree.write("c/d/cpu.stat", "usage_usec 1\nuser_usec 1\nsystem_usec 0\n");
  CHECK(symlink("c", f.tree.path("link").c_str()) == 0);
  CHECK(symlink("d", f.tree.path("c/link").c_str()) == 0);
  test::Child child([&f](test::Child&) {
    if (!test::forget_new_system_calls()) return 77;
    const auto code = [&f](const char* path) { return f.open(path).code; };
    if (code("link") != ReadCode::kCgroupPath || code("link/d") != ReadCode::kCgroupPath) return 1;
    if (code("c/link") != ReadCode::kCgroupPath) return 2;
    if (code("c/cpu.stat") != ReadCode::kCgroupPath) return 3;
    if (code("c/gone/d") != ReadCode::kCgroupNotFound) return 4;
    if (f.reader.open(f.tree.path("link").c_str(), "d", false).code != ReadCode::kCgroupPath) {
      return 5;
    }
    if (f.open("") || f.open("c/d")) return 6;
    if (f.read(part::kCpu) != part::kCpu) return 7;
    ProcReader process;
    if (process.open({getpid(), "/proc", true, 0}, *f.buffer)) return 8;
    return process.root_alive() ? 0 : 9;
  });
  const int result = child.reap();
  if (result == 77) {
    test::skip("no seccomp filter may be set");
  } else {
    CHECK_EQUAL(result, 0);
  }
}

TEST(cgroup_reader_tells_an_absent_controller_from_a_removed_directory) {
  Fixture f;
  CHECK(!f.open());
  f.drop("memory.current");
  f.drop("io.stat");
  f.drop("pids.current");
  CHECK_EQUAL(f.read(part::kAll), part::kCpu | part::kExtra);
  FAILURE(f.reader.failure(1), kControllerNotEnabled, "memory.current", ENOENT);
  FAILURE(f.reader.failure(2), kControllerNotEnabled, "io.stat", ENOENT);
  CHECK(!f.out.has(word::kPids) && f.out.has(word::kOomKills));
  CHECK(!f.reader.removed());

  // Turned on again: what was absent is tried at each read.
  f.put("memory.current", "1\n");
  f.put("io.stat", "");
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK(!f.reader.failure(1));

  // A file that was read may go as well, and come back.
  f.drop("cpu.stat");
  CHECK_EQUAL(f.read(part::kAll), part::kAll & ~part::kCpu);
  FAILURE(f.reader.failure(0), kControllerNotEnabled, "cpu.stat", ENOENT);
  f.put("cpu.stat", "usage_usec 1\nuser_usec 1\nsystem_usec 0\n");
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 1000);

  f.tree.remove("c");
  CHECK_EQUAL(f.read(part::kAll), 0);
  CHECK(f.reader.removed());
  CHECK_EQUAL(f.out.get(word::kValid), 0);
  for (uint32_t index = 0; index < part::kCount; index++) {
    FAILURE(f.reader.failure(index), kCgroupNotFound, "", ENOENT);
  }
  CHECK(f.reader.populated(*f.buffer) == Populated::kUnknown);
  CHECK(f.reader.extra_failures().empty());
}

TEST(cgroup_reader_keeps_no_descriptor_of_a_fixtures_files) {
  Fixture f;
  const int before = DescriptorBudget::kept();
  CHECK(!f.open());
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  // The directory's own.
  CHECK_EQUAL(DescriptorBudget::kept(), before + 1);
  // A recorded tree puts a new file in the place of the old.
  f.put("cpu.stat.new", "usage_usec 7\nuser_usec 1\nsystem_usec 0\n");
  CHECK(rename(f.tree.path("c/cpu.stat.new").c_str(), f.tree.path("c/cpu.stat").c_str()) == 0);
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 7000);
  f.reader.close();
  CHECK_EQUAL(DescriptorBudget::kept(), before);
}

TEST(cgroup_reader_loses_only_the_part_whose_file_is_malformed) {
  Fixture f;
  CHECK(!f.open());
  f.put("cpu.stat", "usage_usec 5x\n");
  CHECK_EQUAL(f.read(part::kAll), part::kMemory | part::kIo | part::kExtra);
  PARSE_FAILURE(f.reader.failure(0), "cpu.stat", kMalformedNumber, 12);
  CHECK(!f.out.has(word::kCpuNs));
  f.put("memory.stat", "");
  f.put("io.stat", "rbytes=1\n");
  f.put("memory.events", "oom 1\n");
  CHECK_EQUAL(f.read(part::kAll), 0);
  PARSE_FAILURE(f.reader.failure(1), "memory.stat", kEmpty, 0);
  PARSE_FAILURE(f.reader.failure(2), "io.stat", kKeyBeforeDevice, 0);
  PARSE_FAILURE(f.reader.failure(3), "memory.events", kMissingKey, 6);
  CHECK(f.out.has(word::kPids) && !f.out.has(word::kOomKills));
  // One line of 64 KiB, and then a larger one.
  f.put("io.stat", std::string(kMaxTelemetryFileSize, 'x'));
  CHECK_EQUAL(f.read(part::kIo), 0);
  PARSE_FAILURE(f.reader.failure(2), "io.stat", kMalformedDevice, 0);
  f.put("io.stat", std::string(kMaxTelemetryFileSize + 1, 'x'));
  CHECK_EQUAL(f.read(part::kIo), 0);
  expect_failure(__LINE__, f.reader.failure(2), ReadCode::kCgroupRead, "io.stat",
                 ParseReason::kTooLarge, 0, 0);
  // A symlink in the place of a file is not followed.
  f.drop("io.stat");
  f.put("other", "8:0 rbytes=1\n");
  CHECK(symlink("other", f.tree.path("c/io.stat").c_str()) == 0);
  CHECK_EQUAL(f.read(part::kIo), 0);
  FAILURE(f.reader.failure(2), kCgroupRead, "io.stat", ELOOP);
}

TEST(cgroup_reader_carries_memory_stat_within_its_period) {
  Fixture f;
  CHECK(!f.open());
  f.reader.set_memory_stat_period(100 * kMs);
  CHECK_EQUAL(f.read(part::kMemory, 1000 * kMs), part::kMemory);
  CHECK(!f.reader.memory_stat_carried());
  f.put("memory.stat", "anon 8192\npgfault 60\npgmajfault 8\n");
  f.put("memory.current", "9999\n");
  CHECK_EQUAL(f.read(part::kMemory, 1099 * kMs), part::kMemory);
  CHECK(f.reader.memory_stat_carried());
  CHECK_EQUAL(f.out.get(word::kMemRssBytes), 4096);
  CHECK_EQUAL(f.out.get(word::kMemCurrentBytes), 9999);
  CHECK_EQUAL(f.read(part::kMemory, 1100 * kMs), part::kMemory);
  CHECK(!f.reader.memory_stat_carried());
  CHECK_EQUAL(f.out.get(word::kMemRssBytes), 8192);
  CHECK_EQUAL(f.out.get(word::kPageFaultsMinor), 52);
}

TEST(cgroup_reader_reads_memory_stat_once_more_when_it_is_expired) {
  Fixture f;
  CHECK(!f.open());
  f.reader.set_memory_stat_period(100 * kMs);
  CHECK_EQUAL(f.read(part::kMemory, 1000 * kMs), part::kMemory);
  f.put("memory.stat", "anon 8192\n");
  f.reader.expire_memory_stat();
  CHECK_EQUAL(f.read(part::kMemory, 1001 * kMs), part::kMemory);
  CHECK(!f.reader.memory_stat_carried());
  CHECK_EQUAL(f.out.get(word::kMemRssBytes), 8192);
  f.put("memory.stat", "anon 1\n");
  CHECK_EQUAL(f.read(part::kMemory, 1002 * kMs), part::kMemory);
  CHECK(f.reader.memory_stat_carried());
}

TEST(cgroup_reader_tells_every_extra_file_that_failed) {
  Fixture f;
  CHECK(!f.open());
  const char* const files[] = {"memory.peak",  "memory.events",   "pids.current",
                               "cpu.pressure", "memory.pressure", "io.pressure"};
  for (const char* file : files) f.put(file, "x");
  CHECK_EQUAL(f.read(part::kAll), part::kAll & ~part::kExtra);
  CHECK_EQUAL(f.reader.extra_failures().size(), 6);
  for (size_t i = 0; i < f.reader.extra_failures().size(); i++) {
    CHECK(std::strcmp(f.reader.extra_failures()[i].file, files[i]) == 0);
  }
  CHECK(std::strcmp(f.reader.failure(3).file, "memory.peak") == 0);
  // The peak is read with the memory part, the others are not.
  CHECK_EQUAL(f.read(part::kMemory), part::kMemory);
  CHECK_EQUAL(f.reader.extra_failures().size(), 1);
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  CHECK(f.reader.extra_failures().empty());
  f.drop("memory.events");
  f.put("memory.peak", "9500\n");
  CHECK_EQUAL(f.read(part::kAll), part::kAll & ~part::kExtra);
  CHECK_EQUAL(f.reader.extra_failures().size(), 4);
  CHECK(std::strcmp(f.reader.failure(3).file, "pids.current") == 0);
}

TEST(cgroup_reader_keeps_the_highest_where_there_is_no_memory_peak) {
  Fixture f;
  CHECK(!f.open());
  f.drop("memory.peak");
  f.put("memory.stat", "anon 8192\n");
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  // Of memory.current, as the kernel's.
  CHECK_EQUAL(f.out.get(word::kMemPeakBytes), 9000);
  CHECK(!f.out.has(word::kPageFaultsMajor) && !f.out.has(word::kPageFaultsMinor));
  f.put("memory.current", "5000\n");
  f.put("memory.stat", "anon 100\n");
  CHECK_EQUAL(f.read(part::kMemory), part::kMemory);
  CHECK_EQUAL(f.out.get(word::kMemPeakBytes), 9000);
  f.put("memory.stat", "anon 9001\n");
  CHECK_EQUAL(f.read(part::kMemory), part::kMemory);
  CHECK_EQUAL(f.out.get(word::kMemPeakBytes), 9001);
  // Without the key, or the file, the rss is what memory.current says.
  f.put("memory.stat", "file 1\n");
  CHECK_EQUAL(f.read(part::kMemory), part::kMemory);
  CHECK_EQUAL(f.out.get(word::kMemRssBytes), 5000);
  f.drop("memory.stat");
  CHECK_EQUAL(f.read(part::kMemory), part::kMemory);
  CHECK_EQUAL(f.out.get(word::kMemRssBytes), 5000);
  // A peak that cannot be read is told beside the part, which stays.
  f.put("memory.peak", "max\n");
  CHECK_EQUAL(f.read(part::kAll), part::kAll & ~part::kExtra);
  CHECK(!f.out.has(word::kMemPeakBytes));
  PARSE_FAILURE(f.reader.failure(3), "memory.peak", kMalformedNumber, 0);
}

TEST(cgroup_reader_holds_INV_CPU001_and_INV_MEM001) {
  Fixture f;
  CHECK(!f.open());
  f.put("cpu.stat", "usage_usec 10\nuser_usec 7\nsystem_usec 5\n");
  f.put("memory.peak", "100\n");
  CHECK_EQUAL(f.read(part::kCpu | part::kMemory), part::kCpu | part::kMemory);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 12000);
  CHECK_EQUAL(f.out.get(word::kMemPeakBytes), 4096);
}

TEST(cgroup_reader_lists_members_of_the_whole_subtree) {
  Fixture f;
  f.put("cgroup.procs", "10\n11\n");
  f.put("a/cgroup.procs", "12\n0\n");
  f.put("a/b/cgroup.procs", "13\n");
  f.put("e/cgroup.procs", "");
  CHECK(!f.open());
  std::vector<int> pids;
  CHECK(f.reader.list_members(*f.buffer, pids));
  CHECK((pids == std::vector<int>{10, 11, 12, 0, 13}));
  // A list that cannot be read whole is a lower bound.
  pids.clear();
  f.put("a/cgroup.procs", "12\n?\n14\n");
  CHECK(!f.reader.list_members(*f.buffer, pids));
  CHECK((pids == std::vector<int>{10, 11, 12, 13}));
  pids.clear();
  f.drop("a/cgroup.procs");
  CHECK(!f.reader.list_members(*f.buffer, pids));
  pids.clear();
  f.put("a/cgroup.procs", "");
  std::string many;
  while (many.size() <= kMaxTelemetryFileSize) many += "4194304\n";
  f.put("cgroup.procs", many);
  CHECK(!f.reader.list_members(*f.buffer, pids));
  CHECK_EQUAL(pids.size(), kMaxTelemetryFileSize / 8 + 1);
  for (const int pid : pids) CHECK(pid == 4194304 || pid == 13);
}

TEST(cgroup_reader_allocates_nothing_once_its_files_are_open) {
  Fixture f;
  f.drop("memory.peak");
  CHECK(!f.open());
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  const uint64_t before = test::allocations();
  for (uint64_t i = 0; i < 100; i++) f.read(part::kAll, i);
  CHECK(f.reader.populated(*f.buffer) == Populated::kYes);
  CHECK_EQUAL(test::allocations() - before, 0);
}

}  // namespace
}  // namespace episcope
