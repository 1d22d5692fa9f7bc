#include "process_killer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstring>
#include <memory>
#include <unordered_map>
#include <utility>

#include "cgroup_directory.h"
#include "directory_entries.h"
#include "kept_file.h"
#include "own_membership.h"
#include "parse_cgroup.h"
#include "proc_root.h"
#include "process_directory.h"
#include "process_figures.h"

namespace episcope {
namespace {

constexpr int kMaxStopRounds = 1000;
constexpr int kMaxKillRounds = 1000;
constexpr timespec kPause = {0, 1'000'000};

/// Pauses after which whoever cgroup.kill reached is dead: p99 1.8 ms.
constexpr int kOutliveLooks = 20;

/// Rounds without anybody new after which those that hang in the kernel (state D) are not waited
/// for: a fork that is under way there fails once SIGKILL is pending.
constexpr int kPatience = 20;

/// Some 5 MB. Who is beyond that is found when others are gone.
constexpr size_t kMaxMembers = 65'536;

// SYS_pidfd_send_signal and SYS_pidfd_open, which older headers lack.
constexpr long kPidfdSendSignal = 424;
constexpr long kPidfdOpen = 434;

/// A process held by its number: signals reach it or nobody.
class Pidfd {
 public:
  explicit Pidfd(int pid) : pid_(pid), fd_(static_cast<int>(syscall(kPidfdOpen, pid, 0u))) {}
  Pidfd(const Pidfd&) = delete;
  Pidfd& operator=(const Pidfd&) = delete;
  ~Pidfd() {
    if (fd_ >= 0) close(fd_);
  }

  /// 0 or an errno. By number where there are no pidfds (Linux 5.3), a filter forbids them, or
  /// there is no descriptor left: the caller has just looked whose number it is.
  int send(int signo) const {
    if (fd_ >= 0) {
      if (syscall(kPidfdSendSignal, fd_, signo, nullptr, 0u) == 0) return 0;
      if (errno == ESRCH) return ESRCH;
    }
    return kill(pid_, signo) == 0 ? 0 : errno;
  }

 private:
  int pid_;
  int fd_;
};

/// How far a process is from standing still.
enum class Rest { kStopped, kBlocked, kRunning };

Rest rest_of(char state) {
  switch (state) {
    case 'T':
    case 't':
    case 'Z':
    case 'X':
    case 'x':
      return Rest::kStopped;
    case 'D':
      return Rest::kBlocked;
    default:
      return Rest::kRunning;
  }
}

struct Member {
  int pid = 0;
  uint64_t starttime = 0;
  bool has_starttime = false;  // false: only a number, not looked at yet
  bool descends = false;       // its children are the episode's too
  bool spared = false;         // never signalled
  bool refused = false;        // may not be signalled by us
  bool gone = false;
  int sent = 0;  // the last signal
};

class MemberKiller {
 public:
  explicit MemberKiller(KillPlan& plan) : plan_(plan), buffer_(std::make_unique<ReadBuffer>()) {}
  MemberKiller(const MemberKiller&) = delete;
  MemberKiller& operator=(const MemberKiller&) = delete;
  ~MemberKiller() {
    if (root_.fd >= 0) close(root_.fd);
  }

  bool outlives_cgroup_kill();
  /// As kill_everything.
  int kill_members();

 private:
  int open_procfs();
  void adopt_plan();
  void adopt_listed();
  void adopt(const Member& found);
  bool starttime_of(int pid, uint64_t& starttime);
  void adopt_by_threads();
  bool list_cgroup(const char* file = "cgroup.procs");
  Member* find(int pid);
  void forget_gone();

  void stop_all();
  bool find_unlisted_children();
  void adopt_child(int pid);
  void kill_all();
  void await_ends();
  void remember_the_living();
  void pause(int& round);
  void look_round(int signo);
  void visit(size_t index, int signo);
  bool strike(Member& member, int signo, ProcessDirectory& process);
  bool is_same(Member& member, const ProcStat& stat);
  void signal(Member& member, int signo, const Pidfd& pidfd, const ProcStat& stat);
  Rest rest_of_process(int pid, const ProcStat& stat);
  int result() const;

  KillPlan& plan_;
  std::unique_ptr<ReadBuffer> buffer_;
  ProcRoot root_;

  /// In the order they were found: of those linked by parentage, parents first.
  std::vector<Member> members_;
  std::unordered_map<int, size_t> by_pid_;
  std::vector<int> listed_;    // by the cgroup
  std::vector<int> children_;  // of the member that is visited

  // Of the last look round.
  bool changed_ = false;  // somebody got the signal for the first time
  bool whole_ = true;     // every list and process could be read
  size_t running_ = 0;
  size_t blocked_ = 0;
  size_t living_ = 0;

  bool children_cut_ = false;  // since the last round of stops began: a list of children
  bool foreign_ = false;       // the cgroup lists somebody whom we cannot name
  bool stood_still_ = false;   // all at once, before they were killed
};

int MemberKiller::kill_members() {
  if (const int error = open_procfs(); error != 0) return error;
  adopt_plan();
  stop_all();
  kill_all();
  await_ends();
  remember_the_living();
  return result();
}

/// 0, or the errno that says why nobody can be found. This is the one gate to every signal: in
/// another directory of that name everybody would be gone, and by the numbers of another pid
/// namespace's procfs strangers would be killed.
int MemberKiller::open_procfs() {
  root_ = open_proc_root("/proc");
  return root_.fd < 0 ? errno : root_.why_foreign();
}

void MemberKiller::adopt_plan() {
  adopt({.pid = getpid(), .spared = true});
  for (const int pid : plan_.reapers) adopt({.pid = pid, .descends = true, .spared = true});
  for (const KnownProcess& known : plan_.processes) {
    adopt(
        {.pid = known.pid, .starttime = known.starttime, .has_starttime = true, .descends = true});
  }
}

/// Those that the cgroup lists and that are not known yet.
void MemberKiller::adopt_listed() {
  if (!list_cgroup()) whole_ = false;
  // One of a pid namespace that is not below ours has no number that a signal could name.
  foreign_ = std::find(listed_.begin(), listed_.end(), 0) != listed_.end();
  if (listed_.empty()) adopt_by_threads();
  std::vector<Member> found;
  for (const int pid : listed_) {
    if (find(pid) != nullptr) continue;
    Member member;
    member.pid = pid;
    member.has_starttime = starttime_of(pid, member.starttime);
    if (member.has_starttime) found.push_back(member);
  }
  if (found.empty()) return;
  // Listed once more: whoever has the number and that starttime then was the one that is listed
  // here.
  if (!list_cgroup()) whole_ = false;
  std::sort(listed_.begin(), listed_.end());
  for (const Member& member : found) {
    if (std::binary_search(listed_.begin(), listed_.end(), member.pid)) adopt(member);
  }
}

/// A process that was moved in after its first thread had ended is listed by its other threads
/// alone.
void MemberKiller::adopt_by_threads() {
  if (!list_cgroup("cgroup.threads")) whole_ = false;
  std::vector<std::pair<int, Member>> found;
  for (const int tid : listed_) {
    ProcessDirectory thread;
    ProcStat ignored;
    if (thread.open(root_, tid, *buffer_, ignored)) continue;
    Member member;
    member.pid = thread.thread_group(*buffer_);
    if (member.pid == 0 || find(member.pid) != nullptr) continue;
    member.has_starttime = starttime_of(member.pid, member.starttime);
    if (member.has_starttime) found.emplace_back(tid, member);
  }
  if (!found.empty() && !list_cgroup("cgroup.threads")) whole_ = false;
  std::sort(listed_.begin(), listed_.end());
  for (const auto& [tid, member] : found) {
    if (std::binary_search(listed_.begin(), listed_.end(), tid)) adopt(member);
  }
  listed_.clear();
}

/// Whether somebody lives on, some ms after cgroup.kill: the kernel passes over a process whose
/// first thread has ended.
bool MemberKiller::outlives_cgroup_kill() {
  for (int looks = 0; looks < kOutliveLooks; ++looks) {
    CgroupEvents events;
    if (read_once(plan_.cgroup_fd, "cgroup.events", *buffer_).status != ReadStatus::kOk)
      return false;
    if (parse_cgroup_events(Text(buffer_->bytes, buffer_->size), events)) return false;
    if (events.populated == 0) return false;
    nanosleep(&kPause, nullptr);
  }
  return true;
}

void MemberKiller::adopt(const Member& found) {
  if (Member* known = find(found.pid); known != nullptr) {
    // A listed process is found to descend as well: its children are not looked for yet.
    if (found.descends && !known->descends) {
      known->descends = true;
      changed_ = true;
    }
    return;
  }
  if (found.pid <= 1 && !found.spared) return;
  if (members_.size() == kMaxMembers) {
    whole_ = false;
    return;
  }
  by_pid_[found.pid] = members_.size();
  members_.push_back(found);
}

/// False where there is no such process, or it cannot be read.
bool MemberKiller::starttime_of(int pid, uint64_t& starttime) {
  ProcessDirectory process;
  ProcStat stat;
  if (const ReadFailure failure = process.open(root_, pid, *buffer_, stat)) {
    if (failure.code != ReadCode::kProcGone) whole_ = false;
    return false;
  }
  starttime = stat.starttime_ticks;
  return true;
}

/// False when the list is not whole.
bool MemberKiller::list_cgroup(const char* file) {
  listed_.clear();
  KeptFile procs(file);
  if (list_cgroup_members(plan_.cgroup_fd, procs, *buffer_, listed_)) return true;
  // Of a cgroup that was removed meanwhile nobody is left.
  return faccessat(plan_.cgroup_fd, "cgroup.procs", F_OK, 0) != 0 && errno == ENOENT;
}

/// nullptr also where the member that had this number is gone.
Member* MemberKiller::find(int pid) {
  const auto found = by_pid_.find(pid);
  if (found == by_pid_.end() || members_[found->second].gone) return nullptr;
  return &members_[found->second];
}

void MemberKiller::forget_gone() {
  std::erase_if(members_, [](const Member& member) { return member.gone; });
  by_pid_.clear();
  for (size_t index = 0; index < members_.size(); ++index) by_pid_[members_[index].pid] = index;
}

void MemberKiller::stop_all() {
  int quiet = 0;
  for (int round = 0; round < kMaxStopRounds; pause(round)) {
    look_round(SIGSTOP);
    quiet = changed_ ? 0 : quiet + 1;
    // A stop takes effect when the target next returns from the kernel: until then it may still
    // fork.
    const bool still = quiet > 0 && running_ == 0 && (blocked_ == 0 || quiet >= kPatience);
    if (still && !find_unlisted_children()) {
      stood_still_ = true;
      return;
    }
  }
}

/// Whether there are any. The kernel may pass over a living child in its list while others on that
/// list end, and a kernel without CONFIG_PROC_CHILDREN has no list: what every process says of its
/// parent proves the lists whole. Whoever is stopped by now forks no more.
bool MemberKiller::find_unlisted_children() {
  const auto descends = [](const Member& member) { return member.descends && !member.gone; };
  if (std::none_of(members_.begin(), members_.end(), descends)) return false;
  const size_t known = members_.size();
  const int listfd = openat(root_.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool listed = listfd >= 0 && for_each_entry(listfd, [&](const char* name, unsigned char) {
                        int pid = 0;
                        const char* end = name + std::strlen(name);
                        if (std::from_chars(name, end, pid).ptr != end) return;
                        if (find(pid) == nullptr) adopt_child(pid);
                      });
  if (listfd >= 0) close(listfd);
  if (!listed) whole_ = false;
  return members_.size() > known;
}

/// If it is a child of a member.
void MemberKiller::adopt_child(int pid) {
  char path[32];
  std::snprintf(path, sizeof path, "%d/stat", pid);
  ProcStat stat;
  // One that cannot be read has just ended, or is hidden from us.
  if (read_once(root_.fd, path, *buffer_).status != ReadStatus::kOk) return;
  if (parse_proc_stat(Text(buffer_->bytes, buffer_->size), stat) || stat.ppid > INT_MAX) return;
  const Member* parent = find(static_cast<int>(stat.ppid));
  if (parent != nullptr && parent->descends && !is_zombie(stat)) {
    adopt({.pid = pid, .descends = true});
  }
}

/// The youngest first. The end of a parent can orphan a process group, and the kernel then lets
/// those of it that were stopped go on.
void MemberKiller::kill_all() {
  std::stable_sort(members_.begin(), members_.end(), [](const Member& one, const Member& other) {
    return one.starttime < other.starttime;
  });
  forget_gone();
  for (size_t index = members_.size(); index-- > 0;) {
    ProcessDirectory process;
    strike(members_[index], SIGKILL, process);
  }
}

/// Until nobody new appears and all have ended: a SIGKILL is no end yet, a process needs a cpu to
/// die. Those that hang in the kernel are not waited for.
void MemberKiller::await_ends() {
  int quiet = 0;
  for (int round = 0; round < kMaxKillRounds; pause(round)) {
    look_round(SIGKILL);
    quiet = changed_ ? 0 : quiet + 1;
    // A list that was cut goes on when the killed are no more on it.
    if (!changed_ && living_ == 0) return;
    if (living_ == blocked_ && quiet >= kPatience) return;
  }
}

/// So that the next call with this plan finds those whose parents have ended by then.
void MemberKiller::remember_the_living() {
  plan_.processes.clear();
  for (const Member& member : members_) {
    if (member.gone || member.spared || member.refused || !member.has_starttime) continue;
    plan_.processes.push_back({member.pid, member.starttime});
  }
}

void MemberKiller::pause(int& round) {
  ++round;
  nanosleep(&kPause, nullptr);
}

/// Finds everybody, and sends it to whoever has not got it.
void MemberKiller::look_round(int signo) {
  forget_gone();
  changed_ = false;
  whole_ = true;
  running_ = 0;
  blocked_ = 0;
  living_ = 0;
  if (signo == SIGSTOP) children_cut_ = false;
  if (plan_.cgroup_fd >= 0) adopt_listed();
  // Grows while it is walked.
  for (size_t index = 0; index < members_.size(); ++index) visit(index, signo);
}

void MemberKiller::visit(size_t index, int signo) {
  ProcessDirectory process;
  // The children after the signal: of one that runs on they may be more by then.
  if (!strike(members_[index], signo, process) || !members_[index].descends) return;
  children_.clear();
  if (!process.append_children(*buffer_, children_)) {
    whole_ = false;
    children_cut_ = true;
  }
  for (const int pid : children_) adopt({.pid = pid, .descends = true});
}

/// False when the member is gone, or cannot be looked at.
bool MemberKiller::strike(Member& member, int signo, ProcessDirectory& process) {
  // The pidfd first: it holds the process that stat shows, or one that is gone.
  const Pidfd pidfd(member.pid);
  ProcStat stat;
  if (const ReadFailure failure = process.open(root_, member.pid, *buffer_, stat)) {
    if (failure.code == ReadCode::kProcGone) {
      member.gone = true;
    } else {
      whole_ = false;
    }
    return false;
  }
  if (!is_same(member, stat)) {
    member.gone = true;
    // The other one may be a member too, and was passed over.
    changed_ = true;
    return false;
  }
  if (is_zombie(stat)) {
    member.refused = false;
    return false;
  }
  if (!member.spared) signal(member, signo, pidfd, stat);
  return !member.gone;
}

bool MemberKiller::is_same(Member& member, const ProcStat& stat) {
  if (member.has_starttime) return member.starttime == stat.starttime_ticks;
  // A number from a list of children may be another's since.
  if (!member.spared) {
    const Member* parent = stat.ppid <= INT_MAX ? find(static_cast<int>(stat.ppid)) : nullptr;
    if (parent == nullptr || !parent->descends) return false;
  }
  member.starttime = stat.starttime_ticks;
  member.has_starttime = true;
  return true;
}

void MemberKiller::signal(Member& member, int signo, const Pidfd& pidfd, const ProcStat& stat) {
  const Rest rest = rest_of_process(member.pid, stat);
  const bool first = member.sent != signo;
  // Whoever was stopped may have been let go on by others.
  if (first || (signo == SIGSTOP && rest != Rest::kStopped)) {
    const int error = pidfd.send(signo);
    member.gone = error == ESRCH;
    member.refused = error != 0;
    member.sent = signo;
  }
  if (member.gone) return;
  if (first) changed_ = true;
  // One that we may not stop is not waited for.
  if (member.refused) return;
  ++living_;
  if (rest == Rest::kRunning) ++running_;
  if (rest == Rest::kBlocked) ++blocked_;
}

/// Of all its threads: the first may have stopped before the others, or ended before them.
Rest MemberKiller::rest_of_process(int pid, const ProcStat& stat) {
  Rest rest = rest_of(stat.state);
  if (stat.num_threads <= 1) return rest;
  char path[32];
  std::snprintf(path, sizeof path, "%d/task", pid);
  const int taskfd = openat(root_.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (taskfd < 0) return Rest::kRunning;
  const bool listed = for_each_entry(taskfd, [&](const char* tid, unsigned char) {
    char file[300];
    std::snprintf(file, sizeof file, "%s/stat", tid);
    ProcStat thread;
    // A thread that cannot be read has just ended.
    if (read_once(taskfd, file, *buffer_).status != ReadStatus::kOk) return;
    if (parse_proc_stat(Text(buffer_->bytes, buffer_->size), thread)) return;
    rest = std::max(rest, rest_of(thread.state));
  });
  close(taskfd);
  return listed ? rest : Rest::kRunning;
}

int MemberKiller::result() const {
  if (foreign_) return EPERM;
  for (const Member& member : members_) {
    if (member.refused && !member.gone) return EPERM;
  }
  // Whoever stood behind the end of a cut list of children, or was forked by somebody who had not
  // stopped, has another parent now.
  const bool lost = (children_cut_ || !stood_still_) && plan_.reapers.empty();
  if (changed_ || !whole_ || lost) return EAGAIN;
  return living_ > 0 ? ETIMEDOUT : 0;
}

int write_cgroup_kill(int cgroup_fd) {
  const int fd = openat(cgroup_fd, "cgroup.kill", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno;
  const int error = write(fd, "1", 1) == 1 ? 0 : errno;
  close(fd);
  return error;
}

}  // namespace

int kill_everything(KillPlan& plan) {
  MemberKiller killer(plan);
  if (plan.cgroup_fd >= 0) {
    int error = why_not_stopped(plan.cgroup_fd);
    if (error == 0) error = write_cgroup_kill(plan.cgroup_fd);
    if (!plan.may_signal) return error;
    if (error == 0) {
      if (!killer.outlives_cgroup_kill()) return 0;
      // The kernel has been told: that we cannot help by numbers is no failure of the kill.
      error = killer.kill_members();
      return error == EAGAIN || error == ETIMEDOUT ? error : 0;
    }
  }
  return plan.may_signal ? killer.kill_members() : 0;
}

}  // namespace episcope
