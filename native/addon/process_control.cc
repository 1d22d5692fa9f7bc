// Process control that Node lacks and the command line needs: subreaper, reaping of adopted
// orphans, signals with their sender. No state but the pipe of the signal handler.
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

/// None, or the errno.
std::optional<int> set_subreaper() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0) return std::nullopt;
  return errno;
}

/// Reaps one zombie child; false when this pid is none. libuv waits for its own children by pid, so
/// a child that is not Node's can be taken here without harm to anyone.
bool reap_one(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

/// Reaps zombies by the lists of our children: every thread has one, and an orphan is given to any
/// living thread of its subreaper.
int reap_listed(pid_t except, ReadBuffer& buffer) {
  const ProcRoot root = open_proc_root("/proc");
  const OwnedDescriptor procfd(root.fd);
  ProcessDirectory self;
  ProcStat ignored;
  if (!root.same_pids || self.open(root, getpid(), buffer, ignored)) return 0;
  std::vector<int> children;
  // A list that was cut shows more once those on it are reaped.
  (void)self.append_children(buffer, children);
  int reaped = 0;
  for (const int pid : children) {
    if (pid != except && reap_one(pid)) ++reaped;
  }
  return reaped;
}

/// waitid(WNOWAIT) shows always the same first zombie: once that is the excepted one, only a
/// listing gets past it.
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

/// What the handler writes: far below PIPE_BUF, so that a record is whole or absent.
struct SignalRecord {
  int32_t signo;
  int32_t code;
  int32_t sender;
};

// The handler's end of the pipe. Set before the first handler is installed, never closed: a handler
// may run at any time until the process ends.
volatile sig_atomic_t g_signal_pipe = -1;

constexpr int kSignals = 65;
// What was to happen with a signal before it was watched: V8 handles faults of its own code.
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

/// A fault of this process goes on as if nobody had watched: to the handler that was there before,
/// or to its end.
void pass_on(int signo, siginfo_t* info, void* context) {
  const struct sigaction& before = g_before[signo];
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signo, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signo);
  } else {
    signal(signo, SIG_DFL);
    raise(signo);  // it is blocked here: it ends the process when this handler returns
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
    // was ours, it would be refused for ever without the stop.
    raise(SIGSTOP);
  } else {
    const SignalRecord record{signo, code, sender};
    const ssize_t written = write(g_signal_pipe, &record, sizeof record);
    static_cast<void>(written);  // a full pipe: thousands of unread signals, this one is lost
  }
  errno = saved;
}

/// Returns the pipe's reading end. A second call would take the signals away
/// from the first: EBUSY. A signal that the C library keeps for itself is passed over.
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
    // Known before a handler runs that asks for it.
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
