// The ledger's promises: the table is the same that the TypeScript engine runs.
#include "../core/ledger.h"

#include <sstream>
#include <string>

#include "../core/limits.h"
#include "check.h"
#include "table.h"

namespace episcope {
namespace {

struct Case {
  std::string name;
  int reaper = 0;
  bool in_sample = false;
  Ledger ledger;
};

void run_line(Case* running, const std::string& line, int number) {
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  if (verb == "reaper") {
    words >> running->reaper;
    running->ledger.set_reaper(running->reaper);
  } else if (verb == "sample") {
    running->ledger.begin();
    running->in_sample = true;
  } else if (verb == "row") {
    Observation seen;
    uint64_t own = 0;
    uint64_t reaped = 0;
    words >> seen.pid >> seen.starttime >> seen.ppid >> own >> reaped >> seen.state;
    // Channels are accounts of their own, and the table knows one.
    for (uint32_t c = 0; c < channel::kCount; c++) {
      seen.set(c, seen.pid == running->reaper ? 0 : own, reaped);
    }
    running->ledger.store(seen);
  } else if (verb == "total") {
    uint64_t expected = 0;
    words >> expected;
    if (running->in_sample) running->ledger.settle();
    running->in_sample = false;
    for (uint32_t c = 0; c < channel::kCount; c++) {
      test::check_equal(running->ledger.total(c), expected, EPISCOPE_TABLES "/ledger.txt", number,
                        running->name.c_str());
    }
  } else {
    CHECK(verb == "root");
  }
  CHECK(!words.fail());
}

TEST(ledger_agrees_with_the_shared_table) {
  for (const auto& [name, lines] : test::read_table("ledger.txt")) {
    Case running;
    running.name = name;
    for (const test::TableLine& line : lines) run_line(&running, line.text, line.number);
  }
}

Observation row(int pid, int ppid, uint64_t own, uint64_t reaped) {
  Observation seen;
  seen.pid = pid;
  seen.starttime = static_cast<uint64_t>(pid);
  seen.ppid = ppid;
  seen.set(channel::kCpu, own, reaped);
  return seen;
}

TEST(ledger_keeps_what_a_row_that_left_had_and_credits_nobody) {
  Ledger ledger;
  ledger.begin();
  ledger.store(row(10, 1, 5, 0));
  ledger.store(row(11, 10, 20, 0));
  ledger.settle();
  ledger.begin();
  ledger.store(row(10, 1, 5, 0));
  ledger.leave(11, 11);
  ledger.settle();
  CHECK_EQUAL(ledger.total(channel::kCpu), 25);
  CHECK_EQUAL(ledger.rows(), 1);
  CHECK(!ledger.any_vanished());
  ledger.begin();
  ledger.store(row(10, 1, 5, 7));
  ledger.settle();
  CHECK_EQUAL(ledger.total(channel::kCpu), 32);
}

TEST(ledger_credits_who_will_reap_a_row_that_left_where_there_is_a_reaper) {
  for (const bool has_parent : {true, false}) {
    Ledger ledger;
    ledger.set_reaper(9);
    ledger.begin();
    ledger.store(row(9, 0, 0, 0));
    ledger.store(row(10, 9, 5, 0));
    ledger.store(row(11, has_parent ? 10 : 1, 20, 3));
    ledger.store(row(12, 11, 6, 0));
    ledger.settle();
    CHECK_EQUAL(ledger.total(channel::kCpu), 34);
    // 12 ended, unseen yet in what 11 reaped.
    ledger.begin();
    ledger.store(row(9, 0, 0, 0));
    ledger.store(row(10, 9, 5, 0));
    ledger.leave(11, 11);
    ledger.settle();
    ledger.begin();
    ledger.store(row(9, 0, 0, has_parent ? 0 : 29));
    ledger.store(row(10, 9, 5, has_parent ? 29 : 0));
    ledger.settle();
    CHECK_EQUAL(ledger.total(channel::kCpu), 34);
    ledger.begin();
    ledger.store(row(9, 0, 0, 34));
    ledger.settle();
    CHECK_EQUAL(ledger.total(channel::kCpu), 34);
  }
}

TEST(ledger_goes_on_with_a_row_that_comes_back) {
  for (const int reaper : {0, 9}) {
    Ledger ledger;
    ledger.set_reaper(reaper);
    ledger.begin();
    ledger.store(row(9, 0, 0, 0));
    ledger.store(row(10, 9, 5, 0));
    ledger.store(row(11, 10, 20, 3));
    ledger.settle();
    ledger.begin();
    ledger.store(row(9, 0, 0, 0));
    ledger.store(row(10, 9, 5, 0));
    ledger.leave(11, 11);
    ledger.settle();
    ledger.begin();
    ledger.store(row(9, 0, 0, 0));
    ledger.store(row(10, 9, 5, 0));
    ledger.store(row(11, 10, 24, 3));
    ledger.settle();
    CHECK_EQUAL(ledger.total(channel::kCpu), 32);
    // It ends, and is credited once.
    ledger.begin();
    ledger.store(row(9, 0, 0, 0));
    ledger.store(row(10, 9, 5, 30));
    ledger.settle();
    CHECK_EQUAL(ledger.total(channel::kCpu), 35);
  }
}

TEST(ledger_does_not_take_an_unreadable_row_for_a_vanished_one) {
  Ledger ledger;
  ledger.begin();
  ledger.store(row(10, 1, 5, 0));
  ledger.store(row(11, 10, 20, 0));
  ledger.settle();
  ledger.begin();
  ledger.store(row(10, 1, 5, 3));
  ledger.keep(11, 11);
  ledger.settle();
  CHECK_EQUAL(ledger.total(channel::kCpu), 28);
  CHECK(!ledger.any_vanished());
}

TEST(ledger_leaves_a_channel_that_was_not_read_as_it_was) {
  Ledger ledger;
  Observation seen = row(10, 1, 5, 0);
  seen.set(channel::kIoRead, 0, 4096);
  ledger.begin();
  ledger.store(seen);
  ledger.settle();
  ledger.begin();
  ledger.store(row(10, 1, 6, 0));
  ledger.settle();
  CHECK_EQUAL(ledger.total(channel::kCpu), 6);
  CHECK_EQUAL(ledger.total(channel::kIoRead), 4096);
  CHECK_EQUAL(ledger.total(channel::kIoWrite), 0);
}

TEST(ledger_survives_parents_in_a_circle) {
  Ledger ledger;
  ledger.begin();
  ledger.store(row(10, 11, 5, 0));
  ledger.store(row(11, 10, 5, 0));
  ledger.store(row(12, 12, 5, 0));
  ledger.settle();
  ledger.begin();
  ledger.settle();
  CHECK_EQUAL(ledger.total(channel::kCpu), 15);
  CHECK_EQUAL(ledger.rows(), 0);
}

}  // namespace
}  // namespace episcope
