#include "parse_any.h"

#include <optional>

#include "parse_cgroup.h"
#include "parse_proc.h"

namespace episcope {
namespace {

void add(ParseOutcome& outcome, std::optional<uint64_t> value) {
  if (value) {
    outcome.values[outcome.count] = *value;
    outcome.valid |= uint32_t{1} << outcome.count;
  }
  ++outcome.count;
}

template <typename... Values>
ParseOutcome listed(ParseError error, const Values&... values) {
  ParseOutcome outcome;
  outcome.error = error;
  if (!error) (add(outcome, values), ...);
  return outcome;
}

ParseOutcome parse_proc_stat_listed(Text text) {
  ProcStat s;
  const ParseError error = parse_proc_stat(text, s);
  return listed(error, static_cast<unsigned char>(s.state), s.ppid, s.minflt, s.cminflt, s.majflt,
                s.cmajflt, s.utime_ticks, s.stime_ticks, s.cutime_ticks, s.cstime_ticks,
                s.num_threads, s.starttime_ticks);
}

ParseOutcome parse_single_listed(Text text) {
  uint64_t value = 0;
  const ParseError error = parse_single(text, value);
  return listed(error, value);
}

template <typename Struct, typename Parse, typename... Members>
ParseOutcome parse_listed(Text text, Parse parse, Members... members) {
  Struct parsed;
  const ParseError error = parse(text, parsed);
  return listed(error, parsed.*members...);
}

}  // namespace

ParseOutcome parse_text(uint32_t kind, const char* bytes, size_t size) {
  const Text text(bytes, size);
  switch (static_cast<KernelText>(kind)) {
    case KernelText::kCpuStat:
      return parse_listed<CpuStat>(text, parse_cpu_stat, &CpuStat::usage_ns, &CpuStat::user_ns,
                                   &CpuStat::system_ns, &CpuStat::nr_throttled,
                                   &CpuStat::throttled_ns);
    case KernelText::kMemoryCurrent:
      return parse_single_listed(text);
    case KernelText::kMemoryStat:
      return parse_listed<MemoryStat>(text, parse_memory_stat, &MemoryStat::anon,
                                      &MemoryStat::pgfault, &MemoryStat::pgmajfault);
    case KernelText::kMemoryEvents:
      return parse_listed<MemoryEvents>(text, parse_memory_events, &MemoryEvents::oom_kill);
    case KernelText::kIoStat:
      return parse_listed<IoStat>(text, parse_io_stat, &IoStat::rbytes, &IoStat::wbytes,
                                  &IoStat::rios, &IoStat::wios);
    case KernelText::kPressure:
      return parse_listed<Pressure>(text, parse_pressure, &Pressure::some_total_ns,
                                    &Pressure::full_total_ns);
    case KernelText::kCgroupEvents:
      return parse_listed<CgroupEvents>(text, parse_cgroup_events, &CgroupEvents::populated,
                                        &CgroupEvents::frozen);
    case KernelText::kProcStat:
      return parse_proc_stat_listed(text);
    case KernelText::kProcStatm:
      return parse_listed<ProcStatm>(text, parse_proc_statm, &ProcStatm::size_pages,
                                     &ProcStatm::resident_pages, &ProcStatm::shared_pages);
    case KernelText::kProcIo:
      return parse_listed<ProcIo>(text, parse_proc_io, &ProcIo::rchar, &ProcIo::wchar,
                                  &ProcIo::syscr, &ProcIo::syscw, &ProcIo::read_bytes,
                                  &ProcIo::write_bytes);
  }
  return {};
}

}  // namespace episcope
