// The killer's rules in a scripted world: the table is the same that TypeScript runs.
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "../core/kill_kernel.h"
#include "../core/process_killer.h"
#include "check.h"
#include "table.h"

namespace episcope {
namespace {

constexpr int kOurPid = 100;

const std::map<std::string, int> kErrnos = {
    {"0", 0},         {"EAGAIN", EAGAIN}, {"EBUSY", EBUSY},        {"ENOENT", ENOENT},
    {"ENXIO", ENXIO}, {"EPERM", EPERM},   {"ETIMEDOUT", ETIMEDOUT}};

std::string name_of(int error) {
  for (const auto& [name, number] : kErrnos) {
    if (number == error) return name;
  }
  return std::to_string(error);
}

struct Process {
  int ppid = 0;
  uint64_t starttime = 0;
  char state = 'S';
  uint64_t threads = 1;
  char thread = 'S';
  std::map<std::string, int> traits = {};  // what is left of each
  bool stop_pending = false;
  bool kill_pending = false;

  bool has(const std::string& trait) const {
    const auto found = traits.find(trait);
    return found != traits.end() && found->second > 0;
  }
  /// Uses up one.
  bool take(const std::string& trait) {
    if (!has(trait)) return false;
    --traits[trait];
    return true;
  }
  bool is_zombie() const { return state == 'Z' && threads <= 1; }
  bool runs() const { return state == 'R' || state == 'S'; }
};

Rest rest_of(char state) {
  if (state == 'D') return Rest::kBlocked;
  return state == 'R' || state == 'S' ? Rest::kRunning : Rest::kStopped;
}

class World final : public KillKernel {
 public:
  std::map<int, Process> processes;
  std::vector<int> reapers;
  std::vector<int> listed;
  std::vector<int> listed_once;
  std::map<int, int> threads;  // tid → pid
  bool list_is_cut = false;
  bool proc_is_cut = false;
  bool cgroup_kill_works = false;
  int cgroup_kill_error = ENOENT;
  int proc_error = 0;
  std::vector<std::string> signals;

  uint64_t now_ms() override { return now_ms_; }
  void pause_ms(uint32_t ms) override;
  int own_pid() override { return kOurPid; }
  int why_foreign() override { return proc_error; }
  bool append_processes(std::vector<int>& pids) override {
    if (proc_is_cut) return false;
    for (const auto& [pid, process] : processes) pids.push_back(pid);
    return true;
  }
  std::unique_ptr<HeldProcess> hold(int pid) override;
  Sight look(int pid, ProcStat& stat) override;
  int process_of_thread(int tid) override { return threads.count(tid) > 0 ? threads[tid] : 0; }
  int kill_cgroup() override;
  bool is_populated() override { return !listed.empty() || !threads.empty(); }
  bool append_listed(const char* file, std::vector<int>& ids) override;

  int signal(int pid, int signo);
  Rest rest(int pid);
  bool append_children(int pid, std::vector<int>& pids);

 private:
  void end(int pid);
  int adopter(int pid) const;

  uint64_t now_ms_ = 0;
  int next_pid_ = 1001;
};

class WorldProcess final : public HeldProcess {
 public:
  WorldProcess(World& world, int pid) : world_(world), pid_(pid) {}
  Sight look(ProcStat& stat) override { return world_.look(pid_, stat); }
  int signal(int signo) override { return world_.signal(pid_, signo); }
  Rest rest(const ProcStat&) override { return world_.rest(pid_); }
  bool append_children(std::vector<int>& pids) override {
    return world_.append_children(pid_, pids);
  }

 private:
  World& world_;
  const int pid_;
};

std::unique_ptr<HeldProcess> World::hold(int pid) {
  return std::make_unique<WorldProcess>(*this, pid);
}

void World::pause_ms(uint32_t ms) {
  now_ms_ += ms;
  const std::map<int, Process> before = processes;
  for (const auto& [pid, was] : before) {
    Process& process = processes[pid];
    if (process.take("hangs")) continue;
    if (process.kill_pending) {
      end(pid);
      continue;
    }
    if (process.runs() && process.take("forks")) {
      Process& child = processes[next_pid_];
      child.ppid = pid;
      child.starttime = static_cast<uint64_t>(next_pid_);
      if (std::count(listed.begin(), listed.end(), pid) > 0) listed.push_back(next_pid_);
      ++next_pid_;
    }
    if (process.state == 'T' && process.take("continues")) {
      process.state = 'S';
    } else if (process.stop_pending && process.runs() && !process.has("stubborn")) {
      process.state = 'T';
    }
    process.stop_pending = false;
  }
}

void World::end(int pid) {
  const int parent = adopter(pid);
  processes.erase(pid);
  for (auto& [child, process] : processes) {
    if (process.ppid == pid) process.ppid = parent;
  }
  std::erase(listed, pid);
  std::erase_if(threads, [pid](const auto& thread) { return thread.second == pid; });
}

/// Who gets the children of one that ends.
int World::adopter(int pid) const {
  for (auto at = processes.find(pid); at != processes.end(); at = processes.find(at->second.ppid)) {
    if (std::count(reapers.begin(), reapers.end(), at->second.ppid) > 0) return at->second.ppid;
  }
  return 1;
}

Sight World::look(int pid, ProcStat& stat) {
  const auto found = processes.find(pid);
  if (found == processes.end()) return Sight::kGone;
  const Process& process = found->second;
  if (process.has("hidden")) return Sight::kUnreadable;
  stat.state = process.has("hangs") && process.state != 'Z' ? 'D' : process.state;
  stat.ppid = static_cast<uint64_t>(process.ppid);
  stat.num_threads = process.threads;
  stat.starttime_ticks = process.starttime;
  return Sight::kSeen;
}

int World::signal(int pid, int signo) {
  Process& process = processes[pid];
  if (process.has("refuses")) return EPERM;
  if (process.has("vanishes")) {
    end(pid);
    return ESRCH;
  }
  const std::string sent = std::to_string(pid) + (signo == SIGKILL ? ":KILL" : ":STOP");
  if (std::count(signals.begin(), signals.end(), sent) == 0) signals.push_back(sent);
  (signo == SIGKILL ? process.kill_pending : process.stop_pending) = true;
  return 0;
}

Rest World::rest(int pid) {
  const Process& process = processes[pid];
  if (process.has("hangs")) return Rest::kBlocked;
  const Rest rest = rest_of(process.state);
  return process.has("thread") ? std::max(rest, rest_of(process.thread)) : rest;
}

bool World::append_children(int pid, std::vector<int>& pids) {
  for (const auto& [child, process] : processes) {
    if (process.ppid == pid && !process.has("unlisted")) pids.push_back(child);
  }
  Process& parent = processes[pid];
  if (parent.has("lists_once")) {
    pids.push_back(parent.traits["lists_once"]);
    parent.traits.erase("lists_once");
  }
  return !parent.has("cut");
}

int World::kill_cgroup() {
  if (!cgroup_kill_works) return cgroup_kill_error;
  const std::vector<int> members = listed;
  for (const int pid : members) {
    if (processes.count(pid) == 0 || processes[pid].state != 'Z') end(pid);
  }
  return 0;
}

bool World::append_listed(const char* file, std::vector<int>& ids) {
  if (std::string(file) == "cgroup.threads") {
    for (const auto& [tid, pid] : threads) ids.push_back(tid);
    return !list_is_cut;
  }
  ids.insert(ids.end(), listed.begin(), listed.end());
  ids.insert(ids.end(), listed_once.begin(), listed_once.end());
  listed_once.clear();
  return !list_is_cut;
}

class Replay {
 public:
  std::string play(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "kill") return kill(line);
    if (verb == "within") {
      uint64_t ms = 0;
      words >> ms;
      return took_ms_ <= ms ? "" : "took " + std::to_string(took_ms_) + " ms";
    }
    if (verb == "signals") return test::difference(line, verb + joined(world_.signals));
    if (verb == "lives") return test::difference(line, verb + joined(living()));
    if (verb == "remembers") return test::difference(line, verb + joined(remembered()));
    return set(line, verb, &words);
  }

 private:
  std::string set(const std::string& line, const std::string& verb, std::istringstream* words) {
    if (verb == "proc") {
      add_process(words);
    } else if (verb == "cgroup") {
      plan_.cgroup_fd = 0;
      world_.listed = numbers(words);
    } else if (verb == "cgroup_once") {
      world_.listed_once = numbers(words);
    } else if (verb == "cgroup_threads") {
      int tid = 0;
      int pid = 0;
      for (char colon; *words >> tid >> colon >> pid;) world_.threads[tid] = pid;
    } else if (verb == "cgroup_cut") {
      world_.list_is_cut = true;
    } else if (verb == "cgroup_kill") {
      std::string result;
      *words >> result;
      world_.cgroup_kill_works = result == "works";
      if (!world_.cgroup_kill_works) world_.cgroup_kill_error = kErrnos.at(result);
    } else if (verb == "proc_is") {
      std::string error;
      *words >> error;
      world_.proc_error = kErrnos.at(error);
    } else if (verb == "proc_cut") {
      world_.proc_is_cut = true;
    } else if (verb == "member") {
      KnownProcess known;
      *words >> known.pid >> known.starttime;
      plan_.processes.push_back(known);
    } else if (verb == "reaper") {
      plan_.reapers = world_.reapers = numbers(words);
    } else if (verb == "foreign") {
      plan_.may_signal = false;
    } else if (verb == "release") {
      for (const int pid : numbers(words)) world_.processes[pid].traits.erase("hangs");
    } else {
      return "unknown line: " + line;
    }
    return "";
  }

  std::string kill(const std::string& line) {
    world_.signals.clear();
    const uint64_t start_ms = world_.now_ms();
    const int error = kill_everything(plan_, world_);
    took_ms_ = world_.now_ms() - start_ms;
    return test::difference(line, "kill " + name_of(error));
  }

  void add_process(std::istringstream* words) {
    int pid = 0;
    Process process;
    *words >> pid >> process.ppid;
    process.starttime = static_cast<uint64_t>(pid);
    for (std::string trait; *words >> trait;) {
      const size_t at = trait.find('=');
      const std::string name = trait.substr(0, at);
      const std::string value = at == std::string::npos ? "1" : trait.substr(at + 1);
      if (name == "start") {
        process.starttime = std::stoull(value);
      } else if (name == "state") {
        process.state = value[0];
      } else if (name == "threads") {
        process.threads = std::stoull(value);
      } else if (name == "thread") {
        process.thread = value[0];
        process.traits[name] = 1;
      } else {
        process.traits[name] = std::stoi(value);
      }
    }
    world_.processes[pid] = process;
  }

  static std::vector<int> numbers(std::istringstream* words) {
    std::vector<int> all;
    for (int number = 0; *words >> number;) all.push_back(number);
    return all;
  }

  std::vector<std::string> living() const {
    std::vector<std::string> pids;
    for (const auto& [pid, process] : world_.processes) {
      if (pid != kOurPid && !process.is_zombie()) pids.push_back(std::to_string(pid));
    }
    return pids;
  }

  std::vector<std::string> remembered() const {
    std::vector<std::string> pids;
    for (const KnownProcess& known : plan_.processes) pids.push_back(std::to_string(known.pid));
    return pids;
  }

  static std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += " " + word;
    return text;
  }

  World world_;
  KillPlan plan_;
  uint64_t took_ms_ = 0;
};

TEST(process_killer_agrees_with_the_shared_table) { test::run_table<Replay>("process-killer.txt"); }

}  // namespace
}  // namespace episcope
