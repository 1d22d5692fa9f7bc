#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace episcope::test {

Child::Child(const std::function<int(Child&)>& body) {
  int down[2];
  int up[2];
  if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) std::abort();
  pid_ = fork();
  const bool is_child = pid_ == 0;
  in_ = is_child ? down[0] : up[0];
  out_ = is_child ? up[1] : down[1];
  close(is_child ? down[1] : down[0]);
  close(is_child ? up[0] : up[1]);
  if (is_child) _exit(body(*this));
}

Child::~Child() {
  if (pid_ > 0) {
    kill();
    reap();
  }
  close(in_);
  close(out_);
}

void Child::tell(int value) const {
  if (write(out_, &value, sizeof value) != sizeof value) std::abort();
}

int Child::hear() const {
  int value = 0;
  return read(in_, &value, sizeof value) == sizeof value ? value : -1;
}

int Child::reap() {
  if (pid_ <= 0) return -1;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void Child::wait_for_zombie() const {
  siginfo_t info;
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0) {
  }
}

void Child::kill() const { ::kill(pid_, SIGKILL); }

pid_t fork_waiting() {
  int lifeline[2];
  if (pipe2(lifeline, O_CLOEXEC) != 0) std::abort();
  const pid_t pid = fork();
  if (pid == 0) {
    close(lifeline[1]);
    char byte;
    _exit(read(lifeline[0], &byte, 1) == 0 ? 0 : 1);
  }
  close(lifeline[0]);  // the other end closes when this process ends
  return pid;
}

void burn_cpu(uint64_t ns) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u +
           static_cast<uint64_t>(time.tv_nsec);
  };
  for (const uint64_t end = now() + ns; now() < end;) {
  }
}

}  // namespace episcope::test
