// The children of this process that an environment watches: how each ended is asked for in the
// environment's event loop, before that reaps any.
#pragma once

#include <memory>

#include "../core/child_watch.h"
#include "node_addon_api.h"

namespace episcope {

/// In each turn libuv serves its descriptors first and signals last, and a pidfd is readable before
/// SIGCHLD is sent: whoever listens to pidfds is called before the loop reaps. So is a handle of
/// SIGCHLD that comes before libuv's own, for the children that end meanwhile.
class EnvChildren {
 public:
  EnvChildren();
  EnvChildren(const EnvChildren&) = delete;
  EnvChildren& operator=(const EnvChildren&) = delete;

  /// nullptr: `pid` is no child of this process, or cannot be watched.
  std::shared_ptr<ChildWatch> watch(Napi::Env env, int pid);
  /// Lets go of the children that nobody else holds any more.
  void release_unused();

 private:
  struct Poll;
  /// Outlives the environment's state until the last handle of the loop is closed.
  struct Polls;
  std::shared_ptr<Polls> polls_;
};

}  // namespace episcope
