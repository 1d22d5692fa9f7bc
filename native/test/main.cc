#include <atomic>
#include <cstdio>
#include <cstring>
#include <vector>

#include "check.h"

namespace episcope::test {
namespace {

struct Test {
  const char* name;
  Body body;
};

std::vector<Test>& tests() {
  static std::vector<Test> registered;
  return registered;
}

std::atomic<int> failures{0};

}  // namespace

Registration::Registration(const char* name, Body body) { tests().push_back({name, body}); }

void fail(const char* file, int line, const std::string& what) {
  ++failures;
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
}

void skip(const std::string& why) { std::printf("skipped: %s\n", why.c_str()); }

bool check(bool held, const char* file, int line, const char* expression) {
  if (!held) fail(file, line, std::string("does not hold: ") + expression);
  return held;
}

bool check_equal(uint64_t got, uint64_t expected, const char* file, int line,
                 const char* expression) {
  if (got == expected) return true;
  fail(
      file, line,
      std::string(expression) + " is " + std::to_string(got) + ", not " + std::to_string(expected));
  return false;
}

}  // namespace episcope::test

// Runs the named test, or all of them.
int main(int argc, char** argv) {
  using namespace episcope::test;
  int ran = 0;
  for (const Test& test : tests()) {
    if (argc > 1 && std::strcmp(argv[1], test.name) != 0) continue;
    const int before = failures.load();
    test.body();
    ++ran;
    std::printf("%s %s\n", failures == before ? "ok" : "FAILED", test.name);
  }
  if (ran == 0) std::fprintf(stderr, "no such test\n");
  return ran > 0 && failures == 0 ? 0 : 1;
}
