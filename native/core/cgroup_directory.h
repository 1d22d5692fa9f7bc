// Opens the directory of a cgroup without following symlinks, and checks whether it still exists.
#pragma once

#include <vector>

#include "kept_file.h"
#include "reading.h"

namespace episcope {

/// Opens `path` beneath `root`: kCgroupPath (a root that is not absolute, more than 4096 bytes, a
/// `..`, a symlink, a file), kCgroupNotFound, kNotCgroup2 (the root or what is beneath it lies on
/// another file system), kCgroupRead. Sets `is_cgroupfs` to false for a fixture tree.
ReadFailure open_cgroup_directory(const char* root, const char* path, bool require_cgroupfs,
                                  OwnedDescriptor& directory, bool& is_cgroupfs);

/// Whether the cgroup was removed. Called if a file is absent: the directory may still exist with
/// the controller disabled.
bool cgroup_directory_is_gone(int dirfd, bool is_cgroupfs);

/// As CgroupReader::list_members; `procs` is the kept cgroup.procs of the directory.
bool list_cgroup_members(int dirfd, KeptFile& procs, ReadBuffer& buffer, std::vector<int>& pids);

}  // namespace episcope
