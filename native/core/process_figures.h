// Converts the figures of a process into the units and channels of the ledger.
#pragma once

#include <sys/resource.h>

#include <cstdint>

#include "ledger.h"
#include "parse_proc.h"

namespace episcope {

/// Cpu time in ns and faults, own and reaped; ppid and state.
void observe_stat(const ProcStat& stat, Observation& seen);

/// A child's rusage as reaped usage: exact to the microsecond, while /proc counts in ticks.
void observe_rusage(const rusage& usage, Observation& seen);

/// The usage of the children that the calling process has reaped.
void observe_own_children(Observation& seen);

uint64_t bytes_of_pages(uint64_t pages);

/// Whether the first thread has ended, so that it only has figures of the whole process.
bool leader_ended(const ProcStat& stat);

/// Whether the whole process has exited and has not been reaped yet.
bool is_zombie(const ProcStat& stat);

}  // namespace episcope
