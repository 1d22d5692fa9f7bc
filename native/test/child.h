// A forked process that waits for its turn: the steps of a test are ordered by bytes through two
// pipes, never by time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

namespace episcope::test {

class Child {
 public:
  /// Runs `body` in a forked process, which ends with its result as the exit status.
  explicit Child(const std::function<int(Child&)>& body);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Kills and reaps what is left.
  ~Child();

  pid_t pid() const { return pid_; }
  /// Lets the other side go on, with a number.
  void tell(int value = 0) const;
  /// What the other side told; −1 when it has ended.
  int hear() const;

  /// Waits for the end and reaps; the exit status, or −1 for a signal.
  int reap();
  /// Waits for the end without reaping: a zombie stays.
  void wait_for_zombie() const;
  void kill() const;

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
};

/// Forks a process that does nothing and ends with its parent.
pid_t fork_waiting();

/// Cpu time of the calling process grows by at least `ns`.
void burn_cpu(uint64_t ns);

}  // namespace episcope::test
