#include <fcntl.h>

#include "cgroup_directory.h"
#include "directory_entries.h"
#include "parse_pids.h"

namespace episcope {
namespace {

bool walk(int dirfd, KeptFile& procs, ReadBuffer& buffer, std::vector<int>& pids, int depth);

bool walk_child(int parentfd, const char* name, ReadBuffer& buffer, std::vector<int>& pids,
                int depth, const char* file) {
  if (depth == 0) return false;
  const OwnedDescriptor directory(
      openat(parentfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  KeptFile procs(file);
  return directory.is_open() && walk(directory.get(), procs, buffer, pids, depth - 1);
}

bool walk(int dirfd, KeptFile& procs, ReadBuffer& buffer, std::vector<int>& pids, int depth) {
  ReadResult result = procs.read(dirfd, buffer);
  if (result.status == ReadStatus::kDead) result = procs.read(dirfd, buffer);
  bool whole = append_pids(result.status, buffer, pids);

  const int error = for_each_subdirectory(dirfd, [&](const char* name) {
    if (!walk_child(dirfd, name, buffer, pids, depth, procs.name())) whole = false;
  });
  return error == 0 && whole;
}

}  // namespace

bool list_cgroup_members(int dirfd, KeptFile& procs, ReadBuffer& buffer, std::vector<int>& pids) {
  return walk(dirfd, procs, buffer, pids, kMaxCgroupDepth);
}

}  // namespace episcope
