// Process control that Node lacks and the command line needs: subreaper, reaping of adopted
// orphans, signals with their sender. Its only state is the pipe and the old signal handlers.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "../core/owned_descriptor.h"
#include "../core/proc_root.h"
#include "../core/process_directory.h"
#include "bindings.h"
#include "errors.h"
#include "js_call.h"

namespace episcope {
namespace {

/// Returns nullopt on success, otherwise the errno.
std::optional<int> set_subreaper() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0) return std::nullopt;
  return errno;
}

/// Reaps one zombie child; returns false if `pid` is not one. libuv waits for its own children by
/// pid, so reaping a child that is not Node's affects nothing else.
bool reap_one(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

/// Reaps the zombies in the lists of our children: every thread has a list, and the kernel gives an
/// orphan to any living thread of its subreaper.
int reap_listed(pid_t except, ReadBuffer& buffer) {
  const ProcRoot root = open_proc_root("/proc");
  const OwnedDescriptor procfd(root.fd);
  ProcessDirectory self;
  ProcStat ignored;
  if (!root.same_pids || self.open(root, getpid(), buffer, ignored)) return 0;
  std::vector<int> children;
  // A list that was cut short shows more children once those on it are reaped.
  (void)self.append_children(buffer, children);
  int reaped = 0;
  for (const int pid : children) {
    if (pid != except && reap_one(pid)) ++reaped;
  }
  return reaped;
}

/// waitid(WNOWAIT) always returns the same first zombie: if that is `except`, only the lists of
/// children show the others.
int32_t reap_adopted(int32_t except, Napi::Env env) {
  int reaped = 0;
  for (;;) {
    siginfo_t seen{};
    if (waitid(P_ALL, 0, &seen, WEXITED | WNOHANG | WNOWAIT) != 0 || seen.si_pid == 0) break;
    if (seen.si_pid == except) {
      while (const int more = reap_listed(except, env_buffer(env))) reaped += more;
      break;
    }
    if (!reap_one(seen.si_pid)) break;
    ++reaped;
  }
  return reaped;
}

bool has_children() {
  siginfo_t seen{};
  const bool none = waitid(P_ALL, 0, &seen, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
  return !none;
}

/// What the handler writes: far smaller than PIPE_BUF, so that each write is atomic.
struct SignalRecord {
  int32_t signo;
  int32_t code;
  int32_t sender;
};

// The handler's end of the pipe. Set before the first handler is installed and never closed,
// because a handler may run at any time until the process ends.
volatile sig_atomic_t g_signal_pipe = -1;

constexpr int kSignals = 65;
// The dispositions of the signals before they were watched: V8 handles faults of its own code.
struct sigaction g_before[kSignals];

bool is_fault_signal(int signo) {
  switch (signo) {
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS:
    case SIGABRT:
      return true;
    default:
      return false;
  }
}

/// Handles a fault of this process as if the signal were not watched: calls the earlier handler, or
/// ends the process.
void pass_on(int signo, siginfo_t* info, void* context) {
  const struct sigaction& before = g_before[signo];
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signo, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signo);
  } else {
    signal(signo, SIG_DFL);
    raise(signo);  // blocked here, so it ends the process when this handler returns
  }
}

void on_signal(int signo, siginfo_t* info, void* context) {
  const int saved = errno;
  const int code = info->si_code;
  const int32_t sender = code > 0 ? 0 : info->si_pid;
  if (is_fault_signal(signo) && (code > 0 || sender == getpid())) {
    pass_on(signo, info, context);
  } else if (code == SI_KERNEL && (signo == SIGTTIN || signo == SIGTTOU)) {
    // The whole group was stopped. The call that caused this is restarted after the handler: if it
    // was ours, it would fail forever without the stop.
    raise(SIGSTOP);
  } else {
    const SignalRecord record{signo, code, sender};
    const ssize_t written = write(g_signal_pipe, &record, sizeof record);
    static_cast<void>(written);  // if the pipe is full of unread signals, this one is lost
  }
  errno = saved;
}

/// Returns the read end of the pipe. A second call fails with EBUSY, because it would take the
/// signals away from the first. Skips signals that the C library reserves.
Opened watch_signals(std::vector<int32_t> signals) {
  if (g_signal_pipe != -1) return {{}, EBUSY};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {{}, errno};
  g_signal_pipe = ends[1];
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  for (const int signo : signals) {
    if (signo < 1 || signo >= kSignals) continue;
    // Stored before our handler, which reads it, can run.
    if (sigaction(signo, nullptr, &g_before[signo]) != 0) continue;
    if (sigaction(signo, &action, nullptr) != 0 && errno != EINVAL) {
      return {{}, errno};
    }
  }
  return {ends[0], {}};
}

}  // namespace

void init_process_control(Napi::Env env, Napi::Object exports) {
  define_functions(env, exports, "processControl",
                   {
                       function<&set_subreaper>("setSubreaper"),
                       function<&reap_adopted>("reapAdopted"),
                       function<&has_children>("hasChildren"),
                       function<&watch_signals>("watchSignals"),
                   });
}

}  // namespace episcope
