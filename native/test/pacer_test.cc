// The deadlines' promises: the table is the same that the TypeScript engine runs.
#include "../core/pacer.h"

#include <sstream>
#include <string>

#include "check.h"
#include "table.h"

namespace episcope {
namespace {

void run_line(Pacer* pacer, const std::string& name, const std::string& line, int number) {
  std::istringstream words(line);
  std::string verb;
  uint64_t value = 0;
  words >> verb >> value;
  const auto expect = [&](uint64_t got) {
    test::check_equal(got, value, EPISCOPE_TABLES "/pacer.txt", number, name.c_str());
  };
  if (verb == "start") {
    uint64_t period = 0;
    uint64_t now = 0;
    words >> period >> now;
    pacer->start(value, period, now);
  } else if (verb == "served") {
    pacer->served(value);
  } else if (verb == "set_period") {
    uint64_t now = 0;
    words >> now;
    pacer->set_period(value, now);
  } else if (verb == "due") {
    std::string expected;
    words >> expected;
    test::check(pacer->due(value) == (expected == "yes"), EPISCOPE_TABLES "/pacer.txt", number,
                name.c_str());
  } else if (verb == "deadline") {
    expect(pacer->deadline_ns());
  } else if (verb == "missed") {
    expect(pacer->missed());
  } else {
    CHECK(verb == "period");
    expect(pacer->period_ns());
  }
  CHECK(!words.fail());
}

TEST(pacer_agrees_with_the_shared_table) {
  for (const auto& [name, lines] : test::read_table("pacer.txt")) {
    Pacer pacer;
    for (const test::TableLine& line : lines) run_line(&pacer, name, line.text, line.number);
  }
}

}  // namespace
}  // namespace episcope
