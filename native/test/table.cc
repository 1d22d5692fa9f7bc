#include "table.h"

#include <fstream>

namespace episcope::test {
namespace {

std::string path_of(const std::string& name) { return std::string(EPISCOPE_TABLES) + "/" + name; }

}  // namespace

std::vector<TableCase> read_table(const std::string& name) {
  std::ifstream table(path_of(name));
  std::vector<TableCase> cases;
  int number = 0;
  for (std::string line; std::getline(table, line);) {
    number++;
    if (line.rfind("case ", 0) == 0) {
      cases.push_back({line.substr(5), {}});
    } else if (!line.empty() && line[0] != '#' && CHECK(!cases.empty())) {
      cases.back().lines.push_back({number, line});
    }
  }
  CHECK(!cases.empty());
  return cases;
}

void fail_line(const std::string& name, const TableCase& failed, const TableLine& line,
               const std::string& what) {
  fail(path_of(name).c_str(), line.number, failed.name + ": " + what);
}

}  // namespace episcope::test
