// Lists of pids: cgroup.procs (one a line) and /proc/<pid>/task/<tid>/children (between spaces).
#pragma once

#include <vector>

#include "kept_file.h"
#include "parse_text.h"

namespace episcope {

/// Appends the pids of the text; a zero is a process of a pid namespace that is not below ours.
/// False where something else than pids stands there: what came before it was appended.
bool parse_pids(Text text, std::vector<int>& pids);

/// The same for what a read left in `buffer`; of a list larger than 64 KiB, what is whole, and
/// false.
bool append_pids(ReadStatus status, const ReadBuffer& buffer, std::vector<int>& pids);

}  // namespace episcope
