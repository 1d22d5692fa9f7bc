// The deadlines' promises: the table is the same that the TypeScript engine runs.
#include "../core/pacer.h"

#include <fstream>
#include <sstream>
#include <string>

#include "check.h"

namespace episcope {
namespace {

void run_line(Pacer* pacer, const std::string& name, const std::string& line, int number) {
  std::istringstream words(line);
  std::string verb;
  uint64_t value = 0;
  words >> verb >> value;
  const auto expect = [&](uint64_t got) {
    test::check_equal(got, value, EPISCOPE_PACER_TABLE, number, name.c_str());
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
    test::check(pacer->due(value) == (expected == "yes"), EPISCOPE_PACER_TABLE, number,
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
  std::ifstream table(EPISCOPE_PACER_TABLE);
  if (!CHECK(table.is_open())) return;
  Pacer pacer;
  std::string name;
  int cases = 0;
  int number = 0;
  for (std::string line; std::getline(table, line);) {
    number++;
    if (line.rfind("case ", 0) == 0) {
      pacer = {};
      name = line.substr(5);
      cases++;
    } else if (!line.empty() && line[0] != '#') {
      run_line(&pacer, name, line, number);
    }
  }
  CHECK(cases > 0);
}

}  // namespace
}  // namespace episcope
