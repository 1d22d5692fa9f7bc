// The figures of a process in the units and channels of the ledger.
#pragma once

#include <sys/resource.h>

#include <cstdint>

#include "ledger.h"
#include "parse_proc.h"

namespace episcope {

/// Cpu time in ns and faults, own and reaped; ppid and state.
void observe_stat(const ProcStat& stat, Observation& seen);

/// What a usage counts, as reaped: exact to the microsecond where the files of /proc have ticks.
void observe_rusage(const rusage& usage, Observation& seen);

/// What the calling process has reaped.
void observe_own_children(Observation& seen);

uint64_t bytes_of_pages(uint64_t pages);

/// The first thread has ended, and what is not the whole process's cannot be read of it.
bool leader_ended(const ProcStat& stat);

/// The whole process has exited and waits to be reaped.
bool is_zombie(const ProcStat& stat);

}  // namespace episcope
