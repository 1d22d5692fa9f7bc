// The reviewer log's file: whole lines, each once, whatever is killed and when.
#include "../core/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "child.h"
#include "old_kernel.h"
#include "temp_tree.h"
#include "wait.h"

namespace episcope {
namespace {

using test::Child;
using test::TempTree;

constexpr uint64_t kNeverFull = 1 << 30;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A line of `bytes` bytes with its newline; the number is found again.
std::string line_of(int number, size_t bytes = 20) {
  std::string line = "{\"n\":" + std::to_string(number) + ",\"x\":\"";
  line += std::string(bytes - line.size() - 3, 'x');
  return line + "\"}\n";
}

struct Log {
  explicit Log(const TempTree& tree, const std::string& name = "log")
      : path(tree.path(name)), log(path, path + ".lock") {}

  /// How many of the lines are durable; the failure stays.
  size_t append(const std::vector<std::string>& texts, uint64_t rotate_bytes = kNeverFull) {
    std::vector<LogLine> lines;
    for (const std::string& text : texts) lines.push_back({text, rotate_bytes});
    failure = log.lock();
    if (failure) return 0;
    const size_t durable = log.append(lines, failure);
    log.unlock();
    return durable;
  }

  const std::string path;
  EventLog log;
  LogFailure failure;
};

/// How often each number has a whole line, in both files; a line that is not whole counts as −1.
std::map<int, int> numbers_in(const std::string& path) {
  std::map<int, int> found;
  for (const std::string& file : {path + ".1", path}) {
    std::istringstream lines(text_of(file));
    for (std::string line; std::getline(lines, line);) {
      int number = -1;
      if (line.ends_with("x\"}")) std::sscanf(line.c_str(), "{\"n\":%d,", &number);
      found[number]++;
    }
  }
  return found;
}

TEST(log_appends_and_makes_what_is_missing_above) {
  const TempTree tree;
  Log log(tree, "a/b/log");
  CHECK_EQUAL(log.append({line_of(1), line_of(2)}), 2);
  CHECK_EQUAL(log.append({line_of(3)}), 1);
  CHECK(text_of(log.path) == line_of(1) + line_of(2) + line_of(3));
  CHECK(access((log.path + ".lock").c_str(), F_OK) == 0);
}

TEST(log_is_moved_away_before_a_line_once_it_is_too_long) {
  const TempTree tree;
  Log log(tree);
  // 20, 40, 60 bytes: 60 exceeds 50, so the fourth line begins the next file, in one append too.
  CHECK_EQUAL(log.append({line_of(1), line_of(2), line_of(3), line_of(4)}, 50), 4);
  CHECK(text_of(log.path + ".1") == line_of(1) + line_of(2) + line_of(3));
  CHECK(text_of(log.path) == line_of(4));
  // 40 bytes do not exceed 40.
  CHECK_EQUAL(log.append({line_of(5)}, 40), 1);
  CHECK_EQUAL(log.append({line_of(6)}, 40), 1);
  CHECK(text_of(log.path) == line_of(4) + line_of(5) + line_of(6));
  CHECK_EQUAL(log.append({line_of(7)}, 40), 1);
  CHECK(text_of(log.path + ".1") == line_of(4) + line_of(5) + line_of(6));
  CHECK(text_of(log.path) == line_of(7));
}

TEST(log_sees_what_others_did_to_the_file) {
  const TempTree tree;
  Log first(tree);
  Log second(tree);
  CHECK_EQUAL(first.append({line_of(1)}), 1);
  CHECK_EQUAL(second.append({line_of(2)}, 10), 1);  // moves it away
  CHECK_EQUAL(first.append({line_of(3)}), 1);
  CHECK(text_of(first.path) == line_of(2) + line_of(3));
  CHECK(unlink(first.path.c_str()) == 0);
  CHECK_EQUAL(first.append({line_of(4)}), 1);
  CHECK(text_of(first.path) == line_of(4));
}

TEST(log_end_that_a_crash_left_is_mended_before_anything_is_appended) {
  using enum LineShape;
  const struct {
    std::string line;
    LineShape shape;
  } cases[] = {
      {"{", kObjectCutShort},
      {"{\"n\":9,\"x\":\"x", kObjectCutShort},
      {"{\"n\":9,\"x\":\"}", kObjectCutShort},
      {"{\"n\":9,\"x\":\"\\\"}", kObjectCutShort},
      {"{\"n\":9,\"x\":\"\\", kObjectCutShort},
      {"{\"n\":[true, -1.5e3", kObjectCutShort},
      {"{\"n\":\"" + std::string(200'000, 'y'), kObjectCutShort},
      {"{\"n\":9}", kWholeObject},
      {"{\"n\":{\"m\":[9]}} \r", kWholeObject},
      {"{\"n\":\"" + std::string(200'000, 'y') + "\"}", kWholeObject},
      {"{\"n\":[9}", kOther},
      {"{]", kOther},
      {"{\"n\":9}{", kOther},
      {"{\"a\" x", kOther},
      {std::string(300, '\0'), kOther},
      {"{\"n\"" + std::string(300, '\0'), kOther},
      {"{\"n\":\"" + std::string(5'000'000, 'y'), kOther},  // too long for any reader
  };
  for (const auto& [line, shape] : cases) {
    if (line.size() < 4 << 20) CHECK(shape_of(line) == shape);
    const std::string before = line_of(1);
    const std::string after = line_of(2);
    {
      const TempTree tree;
      Log log(tree);
      tree.write("log", before + line);
      CHECK_EQUAL(log.append({after}), 1);
      CHECK(text_of(log.path) == before + (shape == kWholeObject ? line + "\n" : "") + after);
    }
    {
      // With its newline a line is left as it is, unless readers forgave it as an event cut short.
      const TempTree tree;
      Log log(tree);
      tree.write("log", before + line + "\n");
      CHECK_EQUAL(log.append({after}), 1);
      CHECK(text_of(log.path) == before + (shape == kObjectCutShort ? "" : line + "\n") + after);
    }
  }
}

TEST(log_event_cut_short_is_cut_off_with_the_blanks_around_it) {
  // As in test/reviewer/torn-tail.test.ts; what is left of the tail.
  const std::string cut = "{\"n\":9,\"x\":\"x";
  const std::string whole = "{\"n\":9}";
  const std::string long_cut = "{\"n\":\"" + std::string(200'000, 'y');
  const struct {
    std::string tail;
    std::string left;
  } cases[] = {
      {" " + cut, ""},
      {" \t\r" + cut + "\n", ""},
      {cut + "\n\n", ""},
      {cut + "\n \t\r\n\n", ""},
      {cut + "\n  ", ""},
      {cut + " \r\n" + std::string(10'000, '\n') + std::string(5'000, ' ') + "\n", ""},
      {long_cut + "\n\n", ""},
      {std::string(9'000, ' ') + long_cut + "\n" + std::string(5'000, ' '), ""},
      {"\n \n" + cut + "\n\n", "\n \n"},
      // Blank lines behind what is whole are whole lines.
      {"\n \n", "\n \n"},
      {whole + "\n\n \n", whole + "\n\n \n"},
      {whole + "\n" + std::string(10'000, '\n'), whole + "\n" + std::string(10'000, '\n')},
      {" " + whole + "\n\n", " " + whole + "\n\n"},
      {"\t" + whole, "\t" + whole + "\n"},
      {"  ", "  \n"},
      {whole + "\n\n ", whole + "\n\n \n"},
      {"zeros\n\n", "zeros\n\n"},
      {" " + std::string(9, '\0'), ""},
  };
  for (const std::string& before : {std::string(), line_of(1)}) {
    for (const auto& [tail, left] : cases) {
      const TempTree tree;
      Log log(tree);
      tree.write("log", before + tail);
      CHECK_EQUAL(log.append({line_of(2)}), 1);
      CHECK(text_of(log.path) == before + left + line_of(2));
    }
  }
}

TEST(log_tail_is_repaired_before_the_file_is_moved_away) {
  const TempTree tree;
  Log log(tree);
  tree.write("log", line_of(1) + line_of(2) + "{\"n\":3,");
  CHECK_EQUAL(log.append({line_of(4)}, 30), 1);
  CHECK(text_of(log.path + ".1") == line_of(1) + line_of(2));
  CHECK(text_of(log.path) == line_of(4));
}

TEST(log_is_not_written_where_something_else_stands) {
  const TempTree tree;
  Log foreign(tree, "foreign");
  tree.write("foreign", "host.example");
  CHECK_EQUAL(foreign.append({line_of(1)}), 0);
  CHECK(foreign.failure.fault == LogFault::kForeign);
  CHECK(text_of(foreign.path) == "host.example");
  tree.write("foreign", "first\nsecond");
  CHECK_EQUAL(foreign.append({line_of(1)}), 0);
  CHECK(foreign.failure.fault == LogFault::kForeign);
  CHECK(text_of(foreign.path) == "first\nsecond");

  // By another name others would lock another file, and move another.
  Log link(tree, "link");
  CHECK(symlink("foreign", tree.path("link").c_str()) == 0);
  CHECK_EQUAL(link.append({line_of(1)}), 0);
  CHECK(link.failure.fault == LogFault::kLink);

  Log directory(tree, "directory");
  tree.make_directory("directory");
  CHECK_EQUAL(directory.append({line_of(1)}), 0);
  CHECK(directory.failure.fault == LogFault::kErrno && directory.failure.error_number == EISDIR);

  Log fifo(tree, "fifo");
  CHECK(mkfifo(tree.path("fifo").c_str(), 0600) == 0);
  CHECK_EQUAL(fifo.append({line_of(1)}), 0);
  CHECK(fifo.failure.fault == LogFault::kNotRegular);

  Log below(tree, "foreign/log");
  CHECK_EQUAL(below.append({line_of(1)}), 0);
  CHECK(below.failure.file == LogFile::kLock && below.failure.error_number == ENOTDIR);

  Log full(tree, "full");
  tree.make_directory("full.1/x");
  CHECK_EQUAL(full.append({line_of(1)}), 1);
  CHECK_EQUAL(full.append({line_of(2)}, 10), 0);
  CHECK(full.failure.file == LogFile::kRotated);
  CHECK(text_of(full.path) == line_of(1));
}

TEST(log_and_its_rotated_file_may_be_names_of_one) {
  const TempTree tree;
  Log log(tree);
  CHECK_EQUAL(log.append({line_of(1), line_of(2)}), 2);
  CHECK(link(log.path.c_str(), tree.path("log.1").c_str()) == 0);
  CHECK_EQUAL(log.append({line_of(3)}, 10), 1);
  CHECK(text_of(log.path + ".1") == line_of(1) + line_of(2));
  CHECK(text_of(log.path) == line_of(3));
}

TEST(log_line_that_was_not_synced_is_taken_back) {
  const TempTree tree;
  Log before(tree);
  CHECK_EQUAL(before.append({line_of(1)}), 1);
  Child child([&tree](Child&) {
    Log log(tree);
    if (!test::fail_system_call(SYS_fdatasync, EIO)) return 77;
    if (log.append({line_of(2), line_of(3)}) != 0) return 1;
    return log.failure.error_number == EIO ? 0 : 2;
  });
  const int result = child.reap();
  if (result == 77) {
    test::skip("seccomp is not allowed here");
    return;
  }
  CHECK_EQUAL(result, 0);
  CHECK(text_of(before.path) == line_of(1));
  CHECK_EQUAL(before.append({line_of(2)}), 1);
  CHECK(text_of(before.path) == line_of(1) + line_of(2));
}

TEST(log_that_cannot_be_synced_is_not_moved_away) {
  const TempTree tree;
  const std::string path = tree.path("log");
  // By a writer that was killed before it synced them.
  tree.write("log", line_of(1) + line_of(2));
  Child child([&tree](Child&) {
    Log log(tree);
    if (!test::fail_system_call(SYS_fdatasync, EIO)) return 77;
    if (log.append({line_of(3)}, 30) != 0) return 1;
    return log.failure.file == LogFile::kEvents && log.failure.error_number == EIO ? 0 : 2;
  });
  const int result = child.reap();
  if (result == 77) {
    test::skip("seccomp is not allowed here");
    return;
  }
  CHECK_EQUAL(result, 0);
  CHECK(text_of(path) == line_of(1) + line_of(2));
  CHECK(access((path + ".1").c_str(), F_OK) != 0);
}

TEST(log_that_cannot_be_locked_is_told_as_that) {
  const TempTree tree;
  Child child([&tree](Child&) {
    Log log(tree);
    if (!test::fail_system_call(SYS_flock, ENOLCK)) return 77;
    if (log.append({line_of(1)}) != 0) return 1;
    if (log.failure.fault != LogFault::kLock || log.failure.file != LogFile::kLock) return 2;
    return log.failure.error_number == ENOLCK ? 0 : 3;
  });
  const int result = child.reap();
  if (result == 77) {
    test::skip("seccomp is not allowed here");
    return;
  }
  CHECK_EQUAL(result, 0);
  CHECK(access(tree.path("log").c_str(), F_OK) != 0);
}

TEST(log_keeps_whole_lines_of_what_does_not_fit) {
  const TempTree tree;
  Child child([&tree](Child&) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {70, 70};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    Log log(tree);
    // 20, 40, 60, and 10 bytes of the next.
    const size_t durable = log.append({line_of(1), line_of(2), line_of(3), line_of(4), line_of(5)});
    if (durable != 3 || log.failure.error_number != EFBIG) return 2;
    if (text_of(log.path) != line_of(1) + line_of(2) + line_of(3)) return 3;
    return log.append({"{}\n"}) == 1 ? 0 : 4;
  });
  CHECK_EQUAL(child.reap(), 0);
  CHECK(text_of(tree.path("log")) == line_of(1) + line_of(2) + line_of(3) + "{}\n");
}

/// Whether the process is blocked in flock.
bool waits_for_lock(pid_t pid) {
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    const std::string of_pid = " " + std::to_string(pid) + " ";
    if (line.find("-> FLOCK") != std::string::npos && line.find(of_pid) != std::string::npos) {
      return true;
    }
  }
  return false;
}

TEST(log_lock_is_that_of_the_file_with_the_name) {
  const TempTree tree;
  Log log(tree);
  const std::string lock_path = log.path + ".lock";
  tree.write("log.lock", "");
  const int held = open(lock_path.c_str(), O_RDWR | O_CLOEXEC);
  CHECK(flock(held, LOCK_EX) == 0);
  Child waiting([&tree](Child&) {
    Log own(tree);
    return own.append({line_of(1)}) == 1 ? 0 : 1;
  });
  CHECK(test::wait_until([&] { return waits_for_lock(waiting.pid()); }));
  // Whoever got the old file's lock now would not exclude those who come by the name.
  CHECK(unlink(lock_path.c_str()) == 0);
  CHECK(!log.log.lock());
  CHECK(flock(held, LOCK_UN) == 0);
  LogFailure failure;
  const std::string text = line_of(2);
  const LogLine line = {text, kNeverFull};
  CHECK_EQUAL(log.log.append({&line, 1}, failure), 1);
  // Still ours: the child has not written.
  CHECK(text_of(log.path) == line_of(2));
  log.log.unlock();
  CHECK_EQUAL(waiting.reap(), 0);
  CHECK(text_of(log.path) == line_of(2) + line_of(1));
  close(held);
}

TEST(log_of_many_processes_has_every_line_once_and_is_moved_away_once) {
  const TempTree tree;
  constexpr int kProcesses = 6;
  constexpr int kLines = 40;
  // 240 lines of 100 bytes: more than one file of 15,000, not more than two.
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < kProcesses; i++) {
    children.push_back(std::make_unique<Child>([&tree, i](Child& parent) {
      parent.hear();
      Log log(tree);
      for (int n = 0; n < kLines; n++) {
        if (log.append({line_of(i * kLines + n, 100)}, 15'000) != 1) return 1;
      }
      return 0;
    }));
  }
  for (const auto& child : children) child->tell();
  for (const auto& child : children) CHECK_EQUAL(child->reap(), 0);
  const std::string path = tree.path("log");
  CHECK_EQUAL(text_of(path + ".1").size(), 15'100);
  const std::map<int, int> found = numbers_in(path);
  CHECK_EQUAL(found.size(), kProcesses * kLines);
  for (const auto& [number, count] : found) CHECK(number >= 0 && count == 1);
}

/// Runs `body` in a child that is killed at its system call stop number `stop` (entries and returns
/// count alike). 1: it was killed; 0: it ended before; −1: it cannot be traced.
template <typename Body>
int kill_at_stop(int stop, const Body& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(99);
    raise(SIGSTOP);
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (!WIFSTOPPED(status)) return -1;
  for (int at = 0; at < stop; at++) {
    ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr);
    waitpid(pid, &status, 0);
    if (WIFEXITED(status)) return 0;
  }
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  return 1;
}

/// Appends two lines at once to a file that has a torn tail and is full, so that they are repaired,
/// moved away and written; each acknowledgement is a byte in `acknowledged`.
void append_everything(const TempTree& tree, int acknowledged) {
  Log log(tree);
  const char byte = '.';
  for (const int number : {3, 5}) {
    const size_t durable = log.append({line_of(number), line_of(number + 1)}, 100);
    for (size_t i = 0; i < durable; i++) {
      if (write(acknowledged, &byte, 1) != 1) _exit(1);
    }
  }
}

TEST(log_killed_between_any_two_system_calls_has_every_acknowledged_line_once) {
  int killed = 0;
  for (int stop = 1;; stop++) {
    const TempTree tree;
    tree.write("log", line_of(0, 60) + line_of(1, 60) + "{\"n\":2,\"x\":");
    tree.write("acknowledged", "");
    const int acknowledged = open(tree.path("acknowledged").c_str(), O_WRONLY | O_CLOEXEC);
    const int result = kill_at_stop(stop, [&] { append_everything(tree, acknowledged); });
    close(acknowledged);
    if (result < 0) {
      test::skip("this process may not trace its children");
      return;
    }
    killed += result;
    Log next(tree);
    CHECK_EQUAL(next.append({line_of(7)}, kNeverFull), 1);
    const std::map<int, int> found = numbers_in(next.path);
    const int told = static_cast<int>(text_of(tree.path("acknowledged")).size());
    for (const auto& [number, count] : found) {
      if (count != 1 || number < 0 || number == 2) {
        test::fail(__FILE__, __LINE__,
                   "stop " + std::to_string(stop) + ": line " + std::to_string(number) +
                       " is there " + std::to_string(count) + " times");
      }
    }
    for (const int number : {0, 1, 7}) CHECK(found.contains(number));
    for (int i = 0; i < told; i++) CHECK(found.contains(3 + i));
    if (result == 0) {
      CHECK_EQUAL(told, 4);
      break;
    }
  }
  // The open, repair, move, sync and write of two appends have that many at least.
  CHECK(killed > 60);
  std::printf("killed at %d stops\n", killed);
}

}  // namespace
}  // namespace episcope
