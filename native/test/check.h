// The smallest test frame: TEST(a_promise) { CHECK(…); }. Each runs in a process of its own
// (ctest).
#pragma once

#include <cstdint>
#include <string>

namespace episcope::test {

using Body = void (*)();

/// Registers the body under its name, before main().
struct Registration {
  Registration(const char* name, Body body);
};

/// Prints what did not hold, and lets the test fail at its end.
void fail(const char* file, int line, const std::string& what);

/// Prints why the test cannot run here; ctest counts it as skipped.
void skip(const std::string& why);

bool check(bool held, const char* file, int line, const char* expression);
bool check_equal(uint64_t got, uint64_t expected, const char* file, int line,
                 const char* expression);

}  // namespace episcope::test

#define TEST(name)                                                               \
  static void name();                                                            \
  static const ::episcope::test::Registration name##_registration(#name, &name); \
  static void name()

#define CHECK(condition) \
  ::episcope::test::check(static_cast<bool>(condition), __FILE__, __LINE__, #condition)

/// Unsigned numbers; tells both where they differ.
#define CHECK_EQUAL(got, expected)                                                           \
  ::episcope::test::check_equal(static_cast<uint64_t>(got), static_cast<uint64_t>(expected), \
                                __FILE__, __LINE__, #got)
