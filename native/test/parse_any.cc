#include "parse_any.h"

#include <optional>

#include "../core/parse_cgroup.h"
#include "../core/parse_proc.h"

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

template <size_t kCount>
ParseOutcome parse_words_listed(Text text, const FlatKey (&keys)[kCount]) {
  Reading reading;
  ParseOutcome outcome;
  outcome.error = parse_words(text, keys, reading);
  if (outcome.error) return outcome;
  for (const FlatKey& key : keys) {
    add(outcome, reading.has(key.word) ? std::optional(reading.get(key.word)) : std::nullopt);
  }
  return outcome;
}

ParseOutcome parse_io_listed(Text text) {
  std::vector<IoDevice> devices;
  ParseOutcome outcome;
  outcome.error = parse_io_devices(text, devices);
  if (outcome.error) return outcome;
  IoStat stat;
  for (const IoDevice& device : devices) {
    for (uint32_t f = 0; f < kIoFigures; ++f) {
      stat.figures[f] = saturating_add(stat.figures[f], device.figures.figures[f]);
    }
  }
  for (const uint64_t figure : stat.figures) add(outcome, figure);
  return outcome;
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
      return parse_words_listed(text, kCpuStatKeys);
    case KernelText::kMemoryCurrent:
      return parse_single_listed(text);
    case KernelText::kMemoryStat:
      return parse_words_listed(text, kMemoryStatKeys);
    case KernelText::kMemoryEvents:
      return parse_words_listed(text, kMemoryEventsKeys);
    case KernelText::kIoStat:
      return parse_io_listed(text);
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
