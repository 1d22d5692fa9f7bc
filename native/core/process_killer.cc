#include "process_killer.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "kill_kernel.h"
#include "kill_members.h"
#include "process_figures.h"
#include "schema.h"

namespace episcope {
namespace {

class ProcessKiller {
 public:
  ProcessKiller(KillPlan& plan, KillKernel& kernel)
      : plan_(plan), kernel_(kernel), members_(kernel) {}

  bool outlives_cgroup_kill();
  int kill_members();

 private:
  void stop_all();
  void kill_all();
  void await_ends();
  void remember_the_living();
  void round(int signo);
  void visit(KillMember& member, int signo);
  bool strike(KillMember& member, int signo, HeldProcess& process);
  void signal(KillMember& member, int signo, HeldProcess& process, const ProcStat& stat);
  int result();

  KillPlan& plan_;
  KillKernel& kernel_;
  KillMembers members_;

  // Counts of the last round, of the processes that we may signal.
  size_t running_ = 0;
  size_t blocked_ = 0;
  size_t living_ = 0;

  bool stood_still_ = false;  // all were stopped at the same time before they were killed
};

int ProcessKiller::kill_members() {
  // Every signal depends on this check: the pids in the procfs of another pid namespace are other
  // processes here, and in a directory that is not a procfs every process would seem to be gone.
  if (const int error = kernel_.why_foreign(); error != 0) return error;
  members_.add_plan(plan_);
  stop_all();
  kill_all();
  await_ends();
  remember_the_living();
  return result();
}

/// Whether a process is still alive some ms after cgroup.kill: the kernel skips processes whose
/// first thread has ended.
bool ProcessKiller::outlives_cgroup_kill() {
  const uint64_t end = kernel_.now_ms() + kKillOutliveMs;
  while (kernel_.is_populated()) {
    if (kernel_.now_ms() >= end) return true;
    kernel_.pause_ms(kKillPauseMs);
  }
  return false;
}

void ProcessKiller::stop_all() {
  const uint64_t end = kernel_.now_ms() + kKillLimitMs;
  for (uint32_t quiet = 0;; kernel_.pause_ms(kKillPauseMs)) {
    round(SIGSTOP);
    quiet = members_.changed ? 0 : quiet + 1;
    const bool is_last = kernel_.now_ms() >= end;
    // A stop takes effect when the process next returns to user mode: until then it may still fork.
    const bool is_patient = blocked_ == 0 || quiet >= kKillPatienceRounds || is_last;
    const bool at_rest = quiet > 0 && running_ == 0 && is_patient;
    stood_still_ = at_rest && !members_.add_unlisted_children();
    if (stood_still_ || is_last) return;
  }
}

/// Kills the youngest first, because the end of a parent can orphan a process group, and the kernel
/// then continues the stopped processes in it.
void ProcessKiller::kill_all() {
  members_.sort_oldest_first();
  std::for_each(members_.all().rbegin(), members_.all().rend(),
                [this](KillMember& member) { strike(member, SIGKILL, *kernel_.hold(member.pid)); });
}

/// Waits until no new processes appear and all have ended, because SIGKILL takes effect only when
/// the process gets a cpu. Does not wait for processes that hang in the kernel.
void ProcessKiller::await_ends() {
  const uint64_t end = kernel_.now_ms() + kKillLimitMs;
  for (uint32_t quiet = 0;; kernel_.pause_ms(kKillPauseMs)) {
    round(SIGKILL);
    quiet = members_.changed ? 0 : quiet + 1;
    // A truncated list shows more processes once the killed ones have left it.
    if (!members_.changed && living_ == 0) return;
    if (living_ == blocked_ && quiet >= kKillPatienceRounds) return;
    if (kernel_.now_ms() >= end) return;
  }
}

/// Lets another call with this plan find the processes whose parents have ended by then.
void ProcessKiller::remember_the_living() {
  plan_.processes.clear();
  for (const KillMember& member : members_.all()) {
    if (member.gone || member.spared || member.refused || !member.has_starttime) continue;
    plan_.processes.push_back({member.pid, member.starttime});
  }
}

/// Finds all members, and sends the signal to those that have not received it yet.
void ProcessKiller::round(int signo) {
  members_.begin_round();
  running_ = 0;
  blocked_ = 0;
  living_ = 0;
  if (signo == SIGSTOP) members_.children_cut = false;
  if (plan_.cgroup_fd >= 0) members_.add_listed();
  // The list grows while it is walked.
  for (size_t index = 0; index < members_.all().size(); ++index) {
    visit(members_.all()[index], signo);
  }
}

void ProcessKiller::visit(KillMember& member, int signo) {
  const std::unique_ptr<HeldProcess> process = kernel_.hold(member.pid);
  // The children are read after the signal: one that runs on may have forked more in between.
  if (!strike(member, signo, *process) || !member.descends) return;
  std::vector<int> children;
  if (!process->append_children(children)) {
    members_.whole = false;
    members_.children_cut = true;
  }
  members_.add_children(children);
}

/// Returns false if the member is gone, has ended, or cannot be read.
bool ProcessKiller::strike(KillMember& member, int signo, HeldProcess& process) {
  ProcStat stat;
  const Sight sight = process.look(stat);
  if (sight == Sight::kUnreadable) members_.whole = false;
  if (sight == Sight::kGone) member.gone = true;
  if (sight != Sight::kSeen) return false;
  if (!members_.is_same(member, stat)) {
    member.gone = true;
    // The process that has its pid now may be a member too, and was passed over.
    members_.changed = true;
    return false;
  }
  if (is_zombie(stat)) {
    member.refused = false;
    return false;
  }
  if (!member.spared) signal(member, signo, process, stat);
  return !member.gone;
}

void ProcessKiller::signal(KillMember& member, int signo, HeldProcess& process,
                           const ProcStat& stat) {
  const bool first = member.sent != signo;
  // Another process may have continued one that was stopped. Nothing is read between the check of
  // its identity and the signal.
  const bool stopped = stat.state == 'T' || stat.state == 't';
  if (first || (signo == SIGSTOP && !stopped)) {
    const int error = process.signal(signo);
    member.gone = error == ESRCH;
    if (member.gone) return;
    member.refused = error != 0;
    member.sent = signo;
  }
  if (first) members_.changed = true;
  // Do not wait for a process that we may not signal.
  if (member.refused) return;
  const Rest rest = process.rest(stat);
  ++living_;
  if (rest == Rest::kRunning) ++running_;
  if (rest == Rest::kBlocked) ++blocked_;
}

int ProcessKiller::result() {
  const auto lives_on = [](const KillMember& member) { return member.refused && !member.gone; };
  const auto& members = members_.all();
  if (members_.lists_foreign || std::any_of(members.begin(), members.end(), lives_on)) return EPERM;
  // A child that a truncated list omitted, or that a process forked because it had not stopped, has
  // another parent now.
  const bool lost = (members_.children_cut || !stood_still_) && plan_.reapers.empty();
  if (members_.changed || !members_.whole || lost) return EAGAIN;
  return living_ > 0 ? ETIMEDOUT : 0;
}

}  // namespace

int kill_everything(KillPlan& plan, KillKernel& kernel) {
  ProcessKiller killer(plan, kernel);
  if (plan.cgroup_fd >= 0) {
    const int error = kernel.kill_cgroup();
    if (!plan.may_signal) return error;
    if (error == 0) {
      if (!killer.outlives_cgroup_kill()) return 0;
      // The kernel has done its part. That some cannot be killed by pid is not a failure of the
      // kill.
      const int unfinished = killer.kill_members();
      return unfinished == EAGAIN || unfinished == ETIMEDOUT ? unfinished : 0;
    }
  }
  return plan.may_signal ? killer.kill_members() : 0;
}

int kill_everything(KillPlan& plan) {
  return kill_everything(plan, *linux_kill_kernel(plan.cgroup_fd));
}

}  // namespace episcope
