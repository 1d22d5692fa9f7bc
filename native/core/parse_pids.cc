#include "parse_pids.h"

#include <climits>

namespace episcope {
namespace {

bool is_separator(char byte) { return byte == ' ' || byte == '\n'; }

}  // namespace

bool parse_pids(Text text, std::vector<int>& pids) {
  for (size_t at = 0; at < text.size();) {
    if (is_separator(text[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && !is_separator(text[end])) ++end;
    uint64_t pid = 0;
    if (parse_number(text, at, end, pid) || pid > INT_MAX) return false;
    pids.push_back(static_cast<int>(pid));
    at = end;
  }
  return true;
}

bool append_pids(ReadStatus status, const ReadBuffer& buffer, std::vector<int>& pids) {
  const Text text(buffer.bytes, buffer.size);
  if (status == ReadStatus::kTooLarge) {
    // The last number may be truncated, which would make it a different pid.
    const size_t separator = text.find_last_of(" \n");
    if (separator != Text::npos) parse_pids(text.substr(0, separator), pids);
    return false;
  }
  return status == ReadStatus::kOk && parse_pids(text, pids);
}

}  // namespace episcope
