// Kernel text is untrusted: what is known is found by key, and what is wrong is told by byte.
#include <string>
#include <vector>

#include "../core/parse_pids.h"
#include "check.h"
#include "parse_any.h"

namespace episcope {
namespace {

constexpr uint64_t kAbsent = UINT64_MAX;
constexpr uint64_t kMost = kMaxFrameCount;

/// In a buffer of exactly this size, so that ASan sees the first byte read behind it.
ParseOutcome parse(KernelText kind, const std::string& text) {
  const std::vector<char> exact(text.begin(), text.end());
  return parse_text(static_cast<uint32_t>(kind), exact.data(), exact.size());
}

void expect_values(int line, KernelText kind, const std::string& text,
                   const std::vector<uint64_t>& expected) {
  const ParseOutcome outcome = parse(kind, text);
  const bool accepted = !outcome.error && outcome.count == expected.size();
  test::check(accepted, __FILE__, line, "the text is accepted");
  for (uint32_t i = 0; accepted && i < outcome.count; i++) {
    const bool valid = (outcome.valid >> i) & 1;
    test::check_equal(valid ? outcome.values[i] : kAbsent, expected[i], __FILE__, line,
                      ("value " + std::to_string(i)).c_str());
  }
}

void expect_fault(int line, KernelText kind, const std::string& text, ParseReason reason,
                  size_t offset) {
  const ParseError error = parse(kind, text).error;
  test::check_equal(static_cast<uint32_t>(error.reason), static_cast<uint32_t>(reason), __FILE__,
                    line, "reason");
  test::check_equal(error.offset, offset, __FILE__, line, "offset");
}

#define VALUES(kind, text, ...) expect_values(__LINE__, KernelText::kind, text, {__VA_ARGS__})
#define FAULT(kind, text, reason, offset) \
  expect_fault(__LINE__, KernelText::kind, text, ParseReason::reason, offset)

TEST(parse_finds_known_keys_wherever_they_stand) {
  VALUES(kCpuStat,
         "nice_usec 4\nusage_usec 3\nuser_usec 2\ncore_sched.force_idle_usec 9\nsystem_usec 1\n"
         "nr_periods 5\nnr_throttled 6\nthrottled_usec 7\n",
         3000, 2000, 1000, 6, 7000);
  VALUES(kCpuStat, "usage_usec 3\nuser_usec 2\nsystem_usec 1", 3000, 2000, 1000, kAbsent, kAbsent);
  VALUES(kMemoryStat, "anon 11\nanon_thp 5\nfile 7\npgfault 9\npgmajfault 2\n", 11, 9, 2);
  VALUES(kMemoryStat, "file 7\n\n", kAbsent, kAbsent, kAbsent);
  VALUES(kMemoryEvents, "oom 4\noom_kill 2\noom_group_kill 1\n", 2);
  VALUES(kCgroupEvents, "populated 1\nfrozen 0\n", 1, 0);
  VALUES(kCgroupEvents, "frozen 1\npopulated 1\n", 1, 1);
  VALUES(kCgroupEvents, "populated 1\npopulated 0\n", 0, kAbsent);
}

TEST(parse_reads_a_file_of_one_number) {
  VALUES(kMemoryCurrent, "18874368\n", 18874368);
  VALUES(kMemoryCurrent, "0", 0);
  FAULT(kMemoryCurrent, "", kEmpty, 0);
  FAULT(kMemoryCurrent, "max\n", kMalformedNumber, 0);
  FAULT(kMemoryCurrent, "\n", kMalformedNumber, 0);
  FAULT(kMemoryCurrent, "12k\n", kMalformedNumber, 2);
  FAULT(kMemoryCurrent, "-\n", kMalformedNumber, 1);
  FAULT(kMemoryCurrent, "12\n\n", kTrailingBytes, 3);
  FAULT(kMemoryCurrent, "12\n3", kTrailingBytes, 3);
}

TEST(parse_saturates_numbers_of_any_length_INV_TL02) {
  VALUES(kMemoryCurrent, "9223372036854775806\n", kMost - 1);
  VALUES(kMemoryCurrent, "9223372036854775807\n", kMost);
  VALUES(kMemoryEvents, "oom_kill 9223372036854775808\n", kMost);
  VALUES(kMemoryEvents, "oom_kill 18446744073709551616\n", kMost);
  VALUES(kMemoryEvents, "oom_kill " + std::string(60000, '9'), kMost);
  VALUES(kMemoryCurrent, std::string(60000, '0') + "7", 7);
  VALUES(kCpuStat, "usage_usec 9223372036854776\nuser_usec 9223372036854775\nsystem_usec 0\n",
         kMost, 9223372036854775000, 0, kAbsent, kAbsent);
  VALUES(kIoStat, "8:0 rbytes=9223372036854775807\n8:1 rbytes=1 wios=2\n", kMost, 0, 0, 2);
}

// The kernel's sums of per-cpu parts can go below zero, and most are printed unsigned.
TEST(parse_takes_a_gauge_of_2_63_and_more_for_one_below_zero) {
  FAULT(kMemoryCurrent, "9223372036854775808\n", kGaugeBelowZero, 0);
  FAULT(kMemoryCurrent, "18446744073709547520\n", kGaugeBelowZero, 0);
  FAULT(kMemoryCurrent, std::string(60000, '9'), kGaugeBelowZero, 0);
  FAULT(kMemoryStat, "file 1\nanon 18446744073709547520\n", kGaugeBelowZero, 12);
  VALUES(kMemoryStat, "anon 1\nfile 18446744073709547520\npgfault 18446744073709547520\n", 1, kMost,
         kAbsent);
  FAULT(kProcStatm, "100 18446744073709551615 3 1 0 1 0\n", kGaugeBelowZero, 4);
}

TEST(parse_counts_a_signed_number_below_zero_as_0) {
  VALUES(kMemoryCurrent, "-1\n", 0);
  VALUES(kMemoryStat, "anon -4096\npgfault -1\npgmajfault 3\n", 0, 0, 3);
  VALUES(kMemoryStat, "anon -99999999999999999999\n", 0, kAbsent, kAbsent);
  VALUES(kProcStatm, "100 -3 -0 1 0 1 0\n", 100, 0, 0);
  VALUES(kProcStat, "42 (sh) S 7 1 1 0 -1 4194304 10 11 12 13 14 15 -16 -17 20 0 -1 0 4242\n", 'S',
         7, 10, 11, 12, 13, 14, 15, 0, 0, 0, 4242);
  FAULT(kMemoryStat, "anon --1\n", kMalformedNumber, 6);
  FAULT(kProcStat, "42 (sh) S 7 1 1 0 -1 4194304 10 11 12 13 14 15 - -17 20 0 -1 0 4242\n",
        kMalformedNumber, 48);
  FAULT(kCpuStat, "usage_usec -1\nuser_usec 1\nsystem_usec 1\n", kMalformedNumber, 11);
}

TEST(parse_tells_where_flat_text_is_wrong) {
  FAULT(kCpuStat, "", kEmpty, 0);
  FAULT(kCpuStat, "\n", kMissingKey, 1);
  FAULT(kCpuStat, "usage_usec 3\nuser_usec 2\n", kMissingKey, 25);
  FAULT(kCpuStat, "usage_usec 3x\n", kMalformedNumber, 12);
  FAULT(kCpuStat, "usage_usec \n", kMalformedNumber, 11);
  FAULT(kCpuStat, "usage_usec  3\n", kMalformedNumber, 11);
  FAULT(kCpuStat, "usage_usec\n", kMissingValue, 10);
  FAULT(kCpuStat, "usage_usec", kMissingValue, 10);
  FAULT(kCpuStat, "usage_usec 1\nuser_usec 1\nsystem_usec 1\nthrottled_usec ?\n", kMalformedNumber,
        54);
  FAULT(kMemoryEvents, "oom 4\n", kMissingKey, 6);
  FAULT(kMemoryEvents, std::string("oom_kill 1\0", 11), kMalformedNumber, 10);
  FAULT(kCgroupEvents, "frozen 1\n", kMissingKey, 9);
  FAULT(kCgroupEvents, "populated 1\nfrozen ?\n", kMalformedNumber, 19);
  FAULT(kCgroupEvents, std::string(65536, 'a'), kMissingKey, 65536);
}

TEST(parse_sums_io_over_devices_of_any_shape) {
  VALUES(kIoStat, "", 0, 0, 0, 0);
  VALUES(kIoStat, "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n253:1 wbytes=5 rios=6\n", 1,
         7, 9, 4);
  VALUES(kIoStat, "7:7 \n252:0 rbytes=4\n", 4, 0, 0, 0);
  VALUES(kIoStat, "8:0 rbytes=4\n252:0 ", 4, 0, 0, 0);
  VALUES(kIoStat, "8:0 8:16 rbytes=1\n(unknown) rbytes=2\n", 3, 0, 0, 0);
  VALUES(kIoStat, "8:0 cost.usage=x cost.vrate=1.5 rbytes=2\n", 2, 0, 0, 0);
}

TEST(parse_tells_where_io_stat_is_wrong) {
  FAULT(kIoStat, "8:0 rbytes=1\nrbytes=1\n", kKeyBeforeDevice, 13);
  FAULT(kIoStat, "other=1\n", kKeyBeforeDevice, 0);
  FAULT(kIoStat, "8:0 rbytes=\n", kMalformedNumber, 11);
  FAULT(kIoStat, "8:0 rbytes=1a wbytes=2\n", kMalformedNumber, 12);
  FAULT(kIoStat, "8:0  sda rbytes=1\n", kMalformedDevice, 5);
  FAULT(kIoStat, "8: rbytes=1\n", kMalformedDevice, 0);
  FAULT(kIoStat, "8:0:1\n", kMalformedDevice, 0);
}

TEST(parse_takes_the_totals_of_pressure) {
  VALUES(
      kPressure,
      "some avg10=0.00 avg60=0.12 avg300=0.00 total=5\nfull avg10=0.00 avg60=0 avg300=0 total=3\n",
      5000, 3000);
  VALUES(kPressure, "some total=5", 5000, kAbsent);
  VALUES(kPressure, "more total=x\nsome total=5\n", 5000, kAbsent);
  FAULT(kPressure, "", kEmpty, 0);
  FAULT(kPressure, "full total=1\n", kMissingKey, 13);
  FAULT(kPressure, "some avg10=0.00\n", kMissingValue, 15);
  FAULT(kPressure, "some total=\n", kMalformedNumber, 11);
  FAULT(kPressure, "some total=12.5\n", kMalformedNumber, 13);
}

const std::string kStatTail =
    " S 7 1 1 0 -1 4194304 10 11 12 13 14 15 16 17 20 0 3 0 4242 1000 200 18446744073709551615\n";

TEST(parse_counts_stat_fields_after_the_last_parenthesis) {
  for (const std::string comm : {"sh", "a b", ") R 1 (", "x)\n(y", ""}) {
    VALUES(kProcStat, "42 (" + comm + ")" + kStatTail, 'S', 7, 10, 11, 12, 13, 14, 15, 16, 17, 3,
           4242);
  }
}

TEST(parse_tells_where_stat_is_wrong) {
  FAULT(kProcStat, "", kEmpty, 0);
  FAULT(kProcStat, "42 (sh S 1\n", kMissingField, 11);
  FAULT(kProcStat, "42 (sh)", kMissingField, 7);
  FAULT(kProcStat, "42 (sh) \n", kMissingField, 9);
  FAULT(kProcStat, "42 (sh) SS 1\n", kMissingField, 8);
  FAULT(kProcStat, "42 (sh)  S 1\n", kMissingField, 8);
  FAULT(kProcStat, "42 (sh) S 1 2\n", kMissingField, 14);
  FAULT(kProcStat, "42 (sh) S x\n", kMalformedNumber, 10);
  FAULT(kProcStat, "42 (sh) S -1 1\n", kMalformedNumber, 10);
}

TEST(parse_reads_statm_and_proc_io) {
  VALUES(kProcStatm, "600 200 150 4 0 90 0\n", 600, 200, 150);
  VALUES(kProcStatm, "0 0 0", 0, 0, 0);
  FAULT(kProcStatm, "", kEmpty, 0);
  FAULT(kProcStatm, "1 2\n", kMissingField, 4);
  FAULT(kProcStatm, "1 2 \n", kMissingField, 5);
  FAULT(kProcStatm, "1  2\n", kMalformedNumber, 2);
  VALUES(kProcIo,
         "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\n"
         "cancelled_write_bytes: 7\n",
         1, 2, 3, 4, 5, 6);
  VALUES(kProcIo, "write_bytes: 6\nread_bytes: 5\n", kAbsent, kAbsent, kAbsent, kAbsent, 5, 6);
  FAULT(kProcIo, "read_bytes: 5\n", kMissingKey, 14);
  FAULT(kProcIo, "read_bytes:5\n", kMissingValue, 12);
  FAULT(kProcIo, "read_bytes\n", kMissingValue, 10);
  FAULT(kProcIo, "read_bytes: \n", kMalformedNumber, 12);
}

TEST(parse_lists_pids_and_zero_for_foreign_ones) {
  std::vector<int> pids;
  CHECK(parse_pids("12\n0\n7\n", pids));
  CHECK(parse_pids("3 2147483647 ", pids));
  CHECK((pids == std::vector<int>{12, 0, 7, 3, 2147483647}));
  pids.clear();
  CHECK(!parse_pids("5\nx\n6\n", pids));
  CHECK(!parse_pids("2147483648\n", pids));
  CHECK((pids == std::vector<int>{5}));
}

}  // namespace
}  // namespace episcope
