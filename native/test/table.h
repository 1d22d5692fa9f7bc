// The tables of promises in test/tables, which both languages run. A table is a list of cases, a
// case a list of lines; its format is described at its head.
#pragma once

#include <string>
#include <vector>

#include "check.h"

namespace episcope::test {

struct TableLine {
  int number = 0;
  std::string text;
};

struct TableCase {
  std::string name;
  std::vector<TableLine> lines;
};

/// The cases of test/tables/<name>. Fails the test where there are none.
std::vector<TableCase> read_table(const std::string& name);

/// Fails the test at this line of the table.
void fail_line(const std::string& name, const TableCase& failed, const TableLine& line,
               const std::string& what);

/// A new Replay plays the lines of each case: `play(line)` returns what is wrong with it, or "".
template <typename Replay>
void run_table(const std::string& name) {
  for (const TableCase& running : read_table(name)) {
    Replay replay;
    for (const TableLine& line : running.lines) {
      const std::string wrong = replay.play(line.text);
      if (!wrong.empty()) fail_line(name, running, line, wrong);
    }
  }
}

/// "" where what came out is the line itself.
inline std::string difference(const std::string& line, const std::string& got) {
  return line == got ? "" : "expected \"" + line + "\", got \"" + got + "\"";
}

inline const char* yes_or_no(bool value) { return value ? "yes" : "no"; }

}  // namespace episcope::test
