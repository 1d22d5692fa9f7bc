// Trees of recorded /proc files: exact figures, and what each failure takes away.
#include "../core/proc_reader.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "../core/cgroup_reader.h"
#include "allocations.h"
#include "check.h"
#include "temp_tree.h"

namespace episcope {
namespace {

using test::TempTree;

const uint64_t kTickNs = 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
const uint64_t kPage = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));

struct Process {
  int pid = 0;
  int ppid = 1;
  char state = 'S';
  uint64_t utime = 0;
  uint64_t stime = 0;
  uint64_t cutime = 0;
  uint64_t cstime = 0;
  uint64_t starttime = 100;
  uint64_t threads = 1;
};

struct Fixture {
  TempTree tree;
  ProcReader reader;
  std::unique_ptr<ReadBuffer> buffer = std::make_unique<ReadBuffer>();
  Reading out;

  void put(int pid, const char* file, const std::string& text) const {
    tree.write(std::to_string(pid) + "/" + file, text);
  }
  void put(const Process& p) const {
    const auto n = [](uint64_t number) { return std::to_string(number) + " "; };
    put(p.pid, "stat",
        std::to_string(p.pid) + " (a (b) c) " + p.state + " " + std::to_string(p.ppid) +
            " 1 1 0 -1 4194304 10 20 3 4 " + n(p.utime) + n(p.stime) + n(p.cutime) + n(p.cstime) +
            "20 0 " + n(p.threads) + "0 " + n(p.starttime) + "1000 200\n");
  }
  void memory(int pid, uint64_t resident, uint64_t shared) const {
    put(pid, "statm",
        "900 " + std::to_string(resident) + " " + std::to_string(shared) + " 4 0 90 0\n");
  }
  void io(int pid, uint64_t read, uint64_t write) const {
    put(pid, "io",
        "rchar: 1\nwchar: 2\nread_bytes: " + std::to_string(read) +
            "\nwrite_bytes: " + std::to_string(write) + "\n");
  }
  void children(int pid, int tid, const std::string& pids) const {
    put(pid, ("task/" + std::to_string(tid) + "/children").c_str(), pids);
  }
  void end(int pid) const { tree.remove(std::to_string(pid)); }
  ReadFailure open(int pid, bool descendants = true, int reaper = 0) {
    return reader.open({pid, tree.root().c_str(), descendants, reaper}, *buffer);
  }
  uint32_t read(uint32_t parts) { return reader.read(parts, *buffer, out); }
};

void expect_failure(int line, const ReadFailure& got, ReadCode code, const char* file, int pid,
                    int error_number) {
  const auto number = [](auto value) { return static_cast<uint64_t>(value); };
  test::check_equal(number(got.code), number(code), __FILE__, line, "code");
  test::check_equal(number(got.pid), number(pid), __FILE__, line, "pid");
  test::check_equal(number(got.error_number), number(error_number), __FILE__, line, "errno");
  test::check(std::strcmp(got.file, file) == 0, __FILE__, line, file);
}

#define FAILURE(got, code, file, pid, error_number) \
  expect_failure(__LINE__, got, ReadCode::code, file, pid, error_number)

TEST(proc_reader_sums_a_tree_over_the_children_of_all_threads) {
  Fixture f;
  f.put({.pid = 10, .utime = 5, .stime = 3, .cutime = 2, .cstime = 1, .threads = 2});
  f.put({.pid = 11, .ppid = 10, .utime = 7});
  f.put({.pid = 12, .ppid = 10, .stime = 4});
  f.put({.pid = 13, .ppid = 12, .utime = 1, .threads = 3});
  f.put({.pid = 99, .utime = 1000});
  f.children(10, 10, "11 ");
  f.children(10, 15, "12 ");
  f.children(12, 12, "13 ");
  for (const int pid : {10, 11, 12, 13}) {
    f.memory(pid, 20, 5);
    f.io(pid, 100, 10);
  }
  CHECK(!f.open(10));
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 23 * kTickNs);
  CHECK_EQUAL(f.out.get(word::kCpuUserNs), 15 * kTickNs);
  CHECK_EQUAL(f.out.get(word::kCpuSystemNs), 8 * kTickNs);
  CHECK_EQUAL(f.out.get(word::kMemRssBytes), 60 * kPage);
  CHECK_EQUAL(f.out.get(word::kMemPeakBytes), 60 * kPage);
  CHECK_EQUAL(f.out.get(word::kPageFaultsMinor), 4 * 30);
  CHECK_EQUAL(f.out.get(word::kPageFaultsMajor), 4 * 7);
  CHECK_EQUAL(f.out.get(word::kIoReadBytes), 400);
  CHECK_EQUAL(f.out.get(word::kIoWriteBytes), 40);
  CHECK_EQUAL(f.out.get(word::kPids), 7);
  CHECK(!f.out.has(word::kMemCurrentBytes) && !f.out.has(word::kIoReadOps));
  CHECK_EQUAL(f.reader.live_members(), 4);
  CHECK_EQUAL(f.reader.quality(0), quality::kLowerBound);
  CHECK_EQUAL(f.reader.quality(1), 0);
  CHECK_EQUAL(f.reader.quality(2), 0);

  f.memory(11, 2, 9);
  CHECK_EQUAL(f.read(part::kMemory), part::kMemory);
  CHECK_EQUAL(f.out.get(word::kMemRssBytes), 45 * kPage);
  CHECK_EQUAL(f.out.get(word::kMemPeakBytes), 60 * kPage);
}

TEST(proc_reader_alone_reads_one_process_exactly) {
  Fixture f;
  f.put({.pid = 10, .utime = 5, .cutime = 2});
  f.put({.pid = 11, .ppid = 10, .utime = 7});
  f.children(10, 10, "11 ");
  CHECK(!f.open(10, false));
  CHECK_EQUAL(f.read(part::kCpu | part::kExtra), part::kCpu | part::kExtra);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 7 * kTickNs);
  CHECK_EQUAL(f.out.get(word::kPids), 1);
  CHECK_EQUAL(f.reader.quality(0), 0);
}

TEST(proc_reader_keeps_the_other_words_of_the_extra_part) {
  Fixture f;
  f.put({.pid = 10});
  CHECK(!f.open(10));
  f.out.set(word::kOomKills, 3);
  CHECK_EQUAL(f.read(part::kExtra), part::kExtra);
  CHECK_EQUAL(f.out.get(word::kOomKills), 3);
}

TEST(proc_reader_tells_why_it_cannot_pin_a_process) {
  Fixture f;
  FAILURE(f.open(10), kProcGone, "stat", 10, ENOENT);
  f.tree.make_directory("10");
  FAILURE(f.open(10), kProcGone, "stat", 10, ENOENT);
  f.put(10, "stat", "10 (a S 1\n");
  const ReadFailure malformed = f.open(10);
  FAILURE(malformed, kProcParse, "stat", 10, 0);
  CHECK(malformed.reason == ParseReason::kMissingField);
  CHECK_EQUAL(malformed.offset, 10);
  f.put({.pid = 10});
  f.put(10, "status", "Name:\ta\nTgid:\t9\nPid:\t10\n");
  FAILURE(f.open(10), kInvalidPid, "status", 10, 0);
  f.put(10, "status", "Name:\ta\nTgid:\t10\n");
  CHECK(!f.open(10));
  CHECK(f.reader.root_alive());
  FAILURE(f.reader.open({10, f.tree.path("none").c_str(), true, 0}, *f.buffer), kProcGone, "stat",
          10, ENOENT);
}

TEST(proc_reader_takes_another_starttime_for_another_process) {
  Fixture f;
  f.put({.pid = 10, .utime = 5});
  CHECK(!f.open(10));
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  f.put({.pid = 10, .utime = 9, .starttime = 101});
  CHECK(!f.reader.root_alive());
  CHECK_EQUAL(f.read(part::kAll), 0);
  FAILURE(f.reader.failure(0), kProcGone, "stat", 10, ESRCH);
  // The last words stay readable beside the failure.
  CHECK_EQUAL(f.out.get(word::kCpuNs), 5 * kTickNs);
  CHECK(f.out.has(word::kIoReadBytes) && !f.out.has(word::kMemRssBytes));
  CHECK_EQUAL(f.reader.quality(0), quality::kLowerBound);
}

TEST(proc_reader_loses_the_part_whose_file_of_the_root_fails) {
  Fixture f;
  f.put({.pid = 10, .utime = 5});
  f.memory(10, 20, 5);
  f.io(10, 1, 2);
  CHECK(!f.open(10));
  f.put(10, "statm", "1 x\n");
  f.tree.remove("10/io");
  CHECK_EQUAL(f.read(part::kAll), part::kCpu | part::kExtra);
  FAILURE(f.reader.failure(1), kProcParse, "statm", 10, 0);
  FAILURE(f.reader.failure(2), kProcRead, "io", 10, ENOENT);
  CHECK(!f.out.has(word::kMemRssBytes) && !f.out.has(word::kIoReadBytes));
  f.put(10, "stat", "");
  CHECK_EQUAL(f.read(part::kAll), 0);
  FAILURE(f.reader.failure(0), kProcParse, "stat", 10, 0);
  CHECK(f.reader.root_alive());
  f.put({.pid = 10, .utime = 6});
  f.memory(10, 20, 5);
  f.io(10, 1, 2);
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 6 * kTickNs);
}

TEST(proc_reader_marks_what_it_could_not_read_of_a_member) {
  Fixture f;
  f.put({.pid = 10, .utime = 5});
  f.put({.pid = 11, .ppid = 10, .utime = 7});
  f.children(10, 10, "11 ");
  f.memory(10, 20, 5);
  f.memory(11, 20, 5);
  f.io(10, 1, 2);
  CHECK(!f.open(10));
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK_EQUAL(f.reader.quality(1), 0);
  CHECK_EQUAL(f.reader.quality(2), quality::kLowerBound);
  CHECK_EQUAL(f.out.get(word::kIoReadBytes), 1);
  // A malformed stat skips the member's update, and it does not count as vanished.
  f.put(11, "stat", "?");
  f.io(11, 1, 2);
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 12 * kTickNs);
  CHECK_EQUAL(f.reader.quality(1), quality::kLowerBound);
  CHECK_EQUAL(f.reader.live_members(), 2);
  f.put({.pid = 11, .ppid = 10, .utime = 8});
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 13 * kTickNs);
  CHECK_EQUAL(f.reader.quality(1), 0);
}

TEST(proc_reader_counts_an_ended_child_once_and_its_orphans_on) {
  Fixture f;
  f.put({.pid = 10, .utime = 5});
  f.put({.pid = 11, .ppid = 10, .utime = 7});
  f.put({.pid = 12, .ppid = 11, .utime = 3});
  f.put({.pid = 13, .ppid = 12, .utime = 1});
  f.children(10, 10, "11 ");
  f.children(11, 11, "12 ");
  CHECK(!f.open(10));
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 15 * kTickNs);
  f.end(11);
  f.children(10, 10, "");
  f.put({.pid = 10, .utime = 5, .cutime = 8});
  // Reparented to init: still ours, and its new child too.
  f.put({.pid = 12, .ppid = 1, .utime = 4});
  f.children(12, 12, "13 ");
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 18 * kTickNs);
  CHECK_EQUAL(f.reader.live_members(), 3);
  CHECK_EQUAL(f.reader.quality(2), quality::kLowerBound);
}

TEST(proc_reader_goes_on_while_members_outlive_the_root) {
  Fixture f;
  f.put({.pid = 10, .utime = 5});
  f.put({.pid = 11, .ppid = 10, .utime = 7});
  f.children(10, 10, "11 ");
  CHECK(!f.open(10));
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  f.end(10);
  f.put({.pid = 11, .ppid = 1, .utime = 8});
  CHECK_EQUAL(f.read(part::kCpu | part::kExtra), part::kCpu | part::kExtra);
  CHECK(!f.reader.root_alive());
  CHECK_EQUAL(f.out.get(word::kCpuNs), 13 * kTickNs);
  CHECK_EQUAL(f.reader.live_members(), 1);
  f.end(11);
  CHECK_EQUAL(f.read(part::kCpu), 0);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 13 * kTickNs);
}

TEST(proc_reader_tells_a_zombie_from_a_process_whose_leader_ended) {
  Fixture f;
  f.put({.pid = 10, .state = 'Z', .utime = 5, .threads = 3});
  f.memory(10, 0, 0);
  CHECK(!f.open(10));
  CHECK_EQUAL(f.read(part::kAll & ~part::kIo), part::kAll & ~part::kIo);
  CHECK(f.reader.root_alive());
  CHECK_EQUAL(f.reader.live_members(), 1);
  f.put({.pid = 10, .state = 'Z', .utime = 6});
  CHECK_EQUAL(f.read(part::kAll & ~part::kIo), part::kAll & ~part::kIo);
  CHECK(!f.reader.root_alive());
  CHECK_EQUAL(f.reader.live_members(), 0);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 6 * kTickNs);
  CHECK_EQUAL(f.out.get(word::kPids), 0);
}

TEST(proc_reader_counts_those_whom_the_leaf_lists) {
  Fixture f;
  CgroupReader leaf;
  f.tree.write("leaf/cgroup.procs", "20\n10\n11\n");
  CHECK(!leaf.open(f.tree.root().c_str(), "leaf", false));
  f.put({.pid = 10, .utime = 1000});
  f.put({.pid = 11, .ppid = 10, .utime = 7, .starttime = 120});
  f.put({.pid = 20, .ppid = 11, .utime = 2, .starttime = 130});
  f.children(10, 10, "11 ");
  CHECK(!f.open(10));
  f.reader.set_members(&leaf);
  CHECK_EQUAL(f.read(part::kCpu | part::kExtra), part::kCpu | part::kExtra);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 1009 * kTickNs);
  CHECK_EQUAL(f.reader.live_members(), 3);
  CHECK(f.reader.root_alive());

  // 20 was moved elsewhere and lives: what it had stays, and what it does now is not ours.
  f.tree.write("leaf/cgroup.procs", "10\n11\n");
  f.put({.pid = 20, .ppid = 11, .utime = 50, .starttime = 130});
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 1009 * kTickNs);
  CHECK_EQUAL(f.reader.live_members(), 2);

  // A zombie is not listed any more; when it is reaped its parent is credited as usual.
  f.tree.write("leaf/cgroup.procs", "10\n11\n21\n");
  f.put({.pid = 21, .ppid = 11, .utime = 4, .starttime = 140});
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  f.tree.write("leaf/cgroup.procs", "10\n11\n");
  f.put({.pid = 21, .ppid = 11, .state = 'Z', .utime = 5, .starttime = 140});
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 1014 * kTickNs);
  f.end(21);
  f.put({.pid = 11, .ppid = 10, .utime = 7, .cutime = 5, .starttime = 120});
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 1014 * kTickNs);

  // A list that cannot be read whole drops nobody.
  f.memory(10, 3, 1);
  f.tree.remove("leaf/cgroup.procs");
  CHECK_EQUAL(f.read(part::kMemory), part::kMemory);
  CHECK_EQUAL(f.reader.live_members(), 2);
  CHECK_EQUAL(f.reader.quality(1), quality::kLowerBound);
}

TEST(proc_reader_counts_the_tree_as_well_while_the_leaf_does_not_list_its_root) {
  Fixture f;
  CgroupReader leaf;
  f.tree.make_directory("leaf");
  CHECK(!leaf.open(f.tree.root().c_str(), "leaf", false));
  f.put({.pid = 10, .utime = 5});
  f.put({.pid = 11, .ppid = 10, .utime = 7, .starttime = 120});
  f.put({.pid = 12, .ppid = 11, .utime = 1, .starttime = 121});
  f.put({.pid = 20, .utime = 100, .starttime = 90});
  for (const int pid : {10, 11, 12, 20}) f.memory(pid, 3, 1);
  f.children(10, 10, "11 ");
  f.children(11, 11, "12 ");
  CHECK(!f.open(10));
  f.reader.set_members(&leaf);
  const uint32_t parts = part::kCpu | part::kMemory;

  // No list: nothing is known but parentage.
  CHECK_EQUAL(f.read(parts), parts);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 13 * kTickNs);
  CHECK_EQUAL(f.out.get(word::kMemRssBytes), 6 * kPage);
  CHECK_EQUAL(f.reader.quality(1), quality::kLowerBound);

  // A list that lacks the root: both.
  f.tree.write("leaf/cgroup.procs", "20\n12\n");
  CHECK_EQUAL(f.read(parts), parts);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 113 * kTickNs);
  CHECK_EQUAL(f.reader.live_members(), 4);
  CHECK_EQUAL(f.reader.quality(1), 0);

  // Their parent ended: still of the tree, and so is a new child.
  f.end(11);
  f.children(10, 10, "");
  f.put({.pid = 10, .utime = 5, .cutime = 7});
  f.put({.pid = 12, .ppid = 1, .utime = 2, .starttime = 121});
  f.put({.pid = 13, .ppid = 12, .utime = 3, .starttime = 122});
  f.memory(13, 3, 1);
  f.children(12, 12, "13 ");
  f.tree.write("leaf/cgroup.procs", "20\n");
  CHECK_EQUAL(f.read(parts), parts);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 117 * kTickNs);
  CHECK_EQUAL(f.reader.live_members(), 4);

  // The root was moved in: from now on the list tells alone.
  f.tree.write("leaf/cgroup.procs", "10\n12\n");
  f.put({.pid = 13, .ppid = 12, .utime = 30, .starttime = 122});
  f.put({.pid = 20, .utime = 1000, .starttime = 90});
  CHECK_EQUAL(f.read(parts), parts);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 117 * kTickNs);
  CHECK_EQUAL(f.reader.live_members(), 2);
}

TEST(proc_reader_counts_no_root_that_the_leaf_does_not_list_and_that_has_exited) {
  Fixture f;
  CgroupReader leaf;
  f.tree.write("leaf/cgroup.procs", "11\n");
  CHECK(!leaf.open(f.tree.root().c_str(), "leaf", false));
  f.put({.pid = 10, .state = 'Z', .utime = 5});
  f.put({.pid = 11, .ppid = 1, .utime = 7, .starttime = 120});
  CHECK(!f.open(10));
  f.reader.set_members(&leaf);
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 7 * kTickNs);
}

TEST(proc_reader_sees_a_recorded_tree_as_it_is_now) {
  Fixture f;
  const int before = DescriptorBudget::kept();
  f.put({.pid = 10, .utime = 5});
  f.put({.pid = 11, .ppid = 10, .utime = 7});
  for (const int pid : {10, 11}) f.memory(pid, 3, 1);
  for (const int pid : {10, 11}) f.io(pid, 1, 2);
  f.children(10, 10, "11 ");
  CHECK(!f.open(10));
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  // The root directory's own.
  CHECK_EQUAL(DescriptorBudget::kept(), before + 1);
  f.tree.remove("10/io");
  CHECK_EQUAL(f.read(part::kAll), part::kAll & ~part::kIo);
  FAILURE(f.reader.failure(2), kProcRead, "io", 10, ENOENT);
  f.io(10, 100, 2);
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK_EQUAL(f.out.get(word::kIoReadBytes), 101);
  // A newer recording of the same process in the place of the old.
  f.tree.remove("10");
  f.put({.pid = 10, .utime = 6});
  f.memory(10, 4, 1);
  f.io(10, 100, 2);
  f.children(10, 10, "11 ");
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK_EQUAL(f.out.get(word::kCpuNs), 13 * kTickNs);
  f.end(11);
  CHECK_EQUAL(f.read(part::kAll), part::kAll);
  CHECK_EQUAL(f.reader.live_members(), 1);
  CHECK(f.reader.root_alive());
  f.end(10);
  CHECK(!f.reader.root_alive());
  CHECK_EQUAL(f.read(part::kAll), 0);
  FAILURE(f.reader.failure(0), kProcGone, "stat", 10, ESRCH);
  f.reader.close();
  CHECK_EQUAL(DescriptorBudget::kept(), before);
}

TEST(proc_reader_saturates_INV_TL02) {
  Fixture f;
  f.put({.pid = 10, .utime = kMaxFrameCount, .stime = 9, .cutime = kMaxFrameCount});
  f.memory(10, kMaxFrameCount, 0);
  CHECK(!f.open(10));
  CHECK_EQUAL(f.read(part::kCpu | part::kMemory), part::kCpu | part::kMemory);
  CHECK_EQUAL(f.out.get(word::kCpuNs), kMaxFrameNs);
  CHECK_EQUAL(f.out.get(word::kMemRssBytes), kMaxFrameBytes);
}

TEST(proc_reader_survives_children_that_lie) {
  Fixture f;
  f.put({.pid = 10, .ppid = 11});
  f.put({.pid = 11, .ppid = 10});
  f.children(10, 10, "11 10 11 12 0 ");
  f.children(11, 11, "10 11 x 13 ");
  CHECK(!f.open(10));
  CHECK_EQUAL(f.read(part::kCpu), part::kCpu);
  CHECK_EQUAL(f.reader.live_members(), 2);
  CHECK_EQUAL(f.reader.quality(0), quality::kLowerBound);
}

TEST(proc_reader_allocates_nothing_while_the_tree_stays_the_same) {
  Fixture f;
  f.put({.pid = 10});
  f.put({.pid = 11, .ppid = 10});
  f.children(10, 10, "11 ");
  CHECK(!f.open(10));
  f.read(part::kAll);
  const uint64_t before = test::allocations();
  for (int i = 0; i < 50; i++) f.read(part::kAll);
  CHECK_EQUAL(test::allocations() - before, 0);
}

}  // namespace
}  // namespace episcope
