// Process control that Node lacks and the command line needs: subreaper, reaping of adopted
// orphans, signals with their sender. No state but the pipe of the signal handler.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bindings.h"

namespace {

Napi::Value SetSubreaper(const Napi::CallbackInfo& info) {
  const int failed = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  return Napi::Number::New(info.Env(), failed == 0 ? 0 : errno);
}

/// Reaps one zombie child; false when this pid is none. libuv waits for its own children by pid, so
/// a child that is not Node's can be taken here without harm to anyone.
bool ReapOne(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

/// Reaps the zombies that one thread of ours has as children, but for `except`.
int ReapChildrenOfThread(const char* tid, pid_t except) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%.20s/children", tid);
  FILE* file = fopen(path, "re");
  if (file == nullptr) return 0;
  int reaped = 0;
  int pid = 0;
  while (fscanf(file, "%d", &pid) == 1) {
    if (pid != except && ReapOne(pid)) ++reaped;
  }
  fclose(file);
  return reaped;
}

/// An orphan is given to any living thread of its subreaper, so every thread's children are looked
/// at.
int ReapByListing(pid_t except) {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return 0;
  int reaped = 0;
  while (const dirent* entry = readdir(tasks)) {
    if (entry->d_name[0] != '.') reaped += ReapChildrenOfThread(entry->d_name, except);
  }
  closedir(tasks);
  return reaped;
}

/// waitid(WNOWAIT) shows always the same first zombie: once that is the excepted one, only a
/// listing gets past it.
Napi::Value ReapAdopted(const Napi::CallbackInfo& info) {
  const pid_t except = info[0].As<Napi::Number>().Int32Value();
  int reaped = 0;
  for (;;) {
    siginfo_t seen{};
    if (waitid(P_ALL, 0, &seen, WEXITED | WNOHANG | WNOWAIT) != 0 || seen.si_pid == 0) break;
    if (seen.si_pid == except) {
      reaped += ReapByListing(except);
      break;
    }
    if (!ReapOne(seen.si_pid)) break;
    ++reaped;
  }
  return Napi::Number::New(info.Env(), reaped);
}

Napi::Value HasChildren(const Napi::CallbackInfo& info) {
  siginfo_t seen{};
  const bool none = waitid(P_ALL, 0, &seen, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
  return Napi::Boolean::New(info.Env(), !none);
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

bool IsFaultSignal(int signo) {
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
void PassOn(int signo, siginfo_t* info, void* context) {
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

void OnSignal(int signo, siginfo_t* info, void* context) {
  const int saved = errno;
  const int code = info->si_code;
  const int32_t sender = code > 0 ? 0 : info->si_pid;
  if (IsFaultSignal(signo) && (code > 0 || sender == getpid())) {
    PassOn(signo, info, context);
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

/// Returns the pipe's reading end, or a negative errno. A second call would take the signals away
/// from the first: EBUSY. A signal that the C library keeps for itself is passed over.
Napi::Value WatchSignals(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto signals = info[0].As<Napi::Array>();
  if (g_signal_pipe != -1) return Napi::Number::New(env, -EBUSY);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Napi::Number::New(env, -errno);
  g_signal_pipe = ends[1];
  struct sigaction action {};
  action.sa_sigaction = OnSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  for (uint32_t i = 0; i < signals.Length(); ++i) {
    const int signo = signals.Get(i).As<Napi::Number>().Int32Value();
    if (signo < 1 || signo >= kSignals) continue;
    // Known before a handler runs that asks for it.
    if (sigaction(signo, nullptr, &g_before[signo]) != 0) continue;
    if (sigaction(signo, &action, nullptr) != 0 && errno != EINVAL) {
      return Napi::Number::New(env, -errno);
    }
  }
  return Napi::Number::New(env, ends[0]);
}

}  // namespace

namespace episcope {

void init_process(Napi::Env env, Napi::Object exports) {
  exports.Set("setSubreaper", Napi::Function::New(env, SetSubreaper, "setSubreaper"));
  exports.Set("reapAdopted", Napi::Function::New(env, ReapAdopted, "reapAdopted"));
  exports.Set("hasChildren", Napi::Function::New(env, HasChildren, "hasChildren"));
  exports.Set("watchSignals", Napi::Function::New(env, WatchSignals, "watchSignals"));
}

}  // namespace episcope
