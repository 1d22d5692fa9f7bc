#include <fcntl.h>
#include <sys/stat.h>

#include "cgroup_directory.h"
#include "directory_entries.h"
#include "parse_pids.h"

namespace episcope {
namespace {

bool walk(int dirfd, KeptFile& procs, ReadBuffer& buffer, std::vector<int>& pids, int depth);

bool walk_child(int parentfd, const char* name, ReadBuffer& buffer, std::vector<int>& pids,
                int depth, const char* file) {
  if (depth == 0) return false;
  const int dirfd = openat(parentfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (dirfd < 0) return false;
  KeptFile procs(file);
  const bool whole = walk(dirfd, procs, buffer, pids, depth - 1);
  close(dirfd);
  return whole;
}

bool walk(int dirfd, KeptFile& procs, ReadBuffer& buffer, std::vector<int>& pids, int depth) {
  ReadResult result = procs.read(dirfd, buffer);
  if (result.status == ReadStatus::kDead) result = procs.read(dirfd, buffer);
  bool whole = append_pids(result.status, buffer, pids);

  struct stat status {};
  if (fstat(dirfd, &status) != 0) return false;
  // Only its own entry and `.`: there is no subdirectory, so skip listing some sixty files.
  if (status.st_nlink == 2) return whole;
  const int listfd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (listfd < 0) return false;
  const bool listed = for_each_entry(listfd, [&](const char* name, unsigned char type) {
    if (type == DT_UNKNOWN) {
      struct stat entry {};
      if (fstatat(dirfd, name, &entry, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(entry.st_mode)) return;
    } else if (type != DT_DIR) {
      return;
    }
    if (!walk_child(dirfd, name, buffer, pids, depth, procs.name())) whole = false;
  });
  close(listfd);
  return listed && whole;
}

}  // namespace

bool list_cgroup_members(int dirfd, KeptFile& procs, ReadBuffer& buffer, std::vector<int>& pids) {
  return walk(dirfd, procs, buffer, pids, kMaxCgroupDepth);
}

}  // namespace episcope
