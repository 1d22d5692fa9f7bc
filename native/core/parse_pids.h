// Parses lists of pids: cgroup.procs (one per line) and /proc/<pid>/task/<tid>/children (separated
// by spaces).
#pragma once

#include <vector>

#include "kept_file.h"
#include "parse_text.h"

namespace episcope {

/// Appends the pids of the text. A zero is a process in a pid namespace that is not below ours.
/// Returns false at the first token that is not a pid; the pids before it are appended.
bool parse_pids(Text text, std::vector<int>& pids);

/// Same for the result of a read. If the list is larger than 64 KiB, appends the complete pids in
/// `buffer` and returns false.
bool append_pids(ReadStatus status, const ReadBuffer& buffer, std::vector<int>& pids);

}  // namespace episcope
