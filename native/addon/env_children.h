// The children of this process that an environment watches: the environment's event loop reads how
// each child ended before it reaps any.
#pragma once

#include <memory>

#include "../core/child_watch.h"
#include "node_addon_api.h"

namespace episcope {

/// In each turn libuv serves its descriptors first and signals last, and a pidfd is readable before
/// SIGCHLD is sent: the pidfd listeners are called before the loop reaps. So is a handle of SIGCHLD
/// that precedes libuv's own, for the children that exit meanwhile.
class EnvChildren {
 public:
  EnvChildren();
  EnvChildren(const EnvChildren&) = delete;
  EnvChildren& operator=(const EnvChildren&) = delete;

  /// Returns nullptr if `pid` is not a child of this process or cannot be watched.
  std::shared_ptr<ChildWatch> watch(Napi::Env env, int pid);
  /// Releases the watches that have no other owner any more.
  void release_unused();

 private:
  struct Poll;
  /// May outlive the environment's state: lives until the last handle of the loop is closed.
  struct Polls;
  std::shared_ptr<Polls> polls_;
};

}  // namespace episcope
