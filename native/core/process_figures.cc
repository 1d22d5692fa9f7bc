#include "process_figures.h"

#include <unistd.h>

#include <climits>

#include "limits.h"

namespace episcope {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;
constexpr uint64_t kNsPerMicrosecond = 1000;

uint64_t ns_of_ticks(uint64_t ticks) {
  static const long per_second = sysconf(_SC_CLK_TCK);
  return saturating_mul(ticks, kNsPerSecond / static_cast<uint64_t>(per_second));
}

uint64_t ns_of(const timeval& time) {
  return saturating_add(saturating_mul(static_cast<uint64_t>(time.tv_sec), kNsPerSecond),
                        static_cast<uint64_t>(time.tv_usec) * kNsPerMicrosecond);
}

int to_pid(uint64_t number) { return number > INT_MAX ? INT_MAX : static_cast<int>(number); }

}  // namespace

bool leader_ended(const ProcStat& stat) { return stat.state == 'Z'; }

bool is_zombie(const ProcStat& stat) {
  // A leader that exited before its threads is also in state Z, but the process is alive.
  return leader_ended(stat) && stat.num_threads <= 1;
}

uint64_t bytes_of_pages(uint64_t pages) {
  static const long page_bytes = sysconf(_SC_PAGESIZE);
  return saturating_mul(pages, static_cast<uint64_t>(page_bytes));
}

void observe_own_children(Observation& seen) {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  observe_rusage(usage, seen);
}

void observe_rusage(const rusage& usage, Observation& seen) {
  const uint64_t user = ns_of(usage.ru_utime);
  const uint64_t system = ns_of(usage.ru_stime);
  const auto bytes = [](long blocks) {
    return saturating_mul(static_cast<uint64_t>(blocks), kRusageBlockBytes);
  };
  seen.set(channel::kCpu, 0, saturating_add(user, system));
  seen.set(channel::kCpuUser, 0, user);
  seen.set(channel::kCpuSystem, 0, system);
  seen.set(channel::kMinorFaults, 0, static_cast<uint64_t>(usage.ru_minflt));
  seen.set(channel::kMajorFaults, 0, static_cast<uint64_t>(usage.ru_majflt));
  seen.set(channel::kIoRead, 0, bytes(usage.ru_inblock));
  seen.set(channel::kIoWrite, 0, bytes(usage.ru_oublock));
}

void observe_stat(const ProcStat& stat, Observation& seen) {
  seen.ppid = to_pid(stat.ppid);
  seen.state = stat.state;
  const uint64_t user = ns_of_ticks(stat.utime_ticks);
  const uint64_t system = ns_of_ticks(stat.stime_ticks);
  const uint64_t reaped_user = ns_of_ticks(stat.cutime_ticks);
  const uint64_t reaped_system = ns_of_ticks(stat.cstime_ticks);
  seen.set(channel::kCpu, saturating_add(user, system), saturating_add(reaped_user, reaped_system));
  seen.set(channel::kCpuUser, user, reaped_user);
  seen.set(channel::kCpuSystem, system, reaped_system);
  seen.set(channel::kMinorFaults, stat.minflt, stat.cminflt);
  seen.set(channel::kMajorFaults, stat.majflt, stat.cmajflt);
}

}  // namespace episcope
