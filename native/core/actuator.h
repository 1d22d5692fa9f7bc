// The thread for operations that can stall in the kernel: kill, freeze and removal of cgroups. It
// is separate from the sampler's thread, so that a stalled operation delays no sample.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "owned_descriptor.h"
#include "process_killer.h"

namespace episcope {

/// Receives the result of an action, on the actuator's thread. It must neither block nor throw, and
/// does nothing once its environment is gone.
class ActionListener {
 public:
  virtual ~ActionListener() = default;
  /// Action `id` is done; `error_number` is 0 or an errno.
  virtual void action_done(uint32_t id, int error_number) = 0;
};

/// A kill plan that owns the descriptor of its cgroup.
class OwnedKillPlan {
 public:
  /// Takes ownership of `plan.cgroup_fd`.
  explicit OwnedKillPlan(KillPlan plan) : cgroup_(plan.cgroup_fd), plan_(std::move(plan)) {}
  KillPlan& plan() { return plan_; }

 private:
  OwnedDescriptor cgroup_;
  KillPlan plan_;
};

struct Action {
  /// The directory of a cgroup.
  std::string directory = {};
  /// The file in it to which `text` is written in one write. If empty, the directory is removed.
  std::string file = {};
  std::string text = {};
  uint32_t id = 0;
  std::shared_ptr<ActionListener> listener = nullptr;
  /// If open, `file` is resolved here and not in `directory`, so that a new cgroup of the same name
  /// is not affected.
  OwnedDescriptor directory_fd = {};
  /// If set, the action is this kill. The plan belongs to the actuator until the action is done; it
  /// then contains the processes that are left.
  std::shared_ptr<OwnedKillPlan> kill = nullptr;
};

/// The actions to be done. A holder may still add to it after the actuator is gone.
class ActionQueue {
 public:
  ActionQueue() = default;
  ActionQueue(const ActionQueue&) = delete;
  ActionQueue& operator=(const ActionQueue&) = delete;

  /// Thread-safe; does not block. Returns false once the actuator was stopped: the action will not
  /// be done, and its listener not called.
  bool add(Action action);

 private:
  friend class Actuator;
  /// The main function of the thread.
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Action> waiting_;
  bool stopping_ = false;
  bool running_ = false;
};

/// Performs the actions one after another, in the order in which they were added.
class Actuator {
 public:
  Actuator();
  Actuator(const Actuator&) = delete;
  Actuator& operator=(const Actuator&) = delete;
  ~Actuator();

  /// Starts the thread with all signals blocked. Returns 0 or an errno.
  int start();
  const std::shared_ptr<ActionQueue>& queue() const { return queue_; }
  /// See ActionQueue::add.
  bool add(Action action) { return queue_->add(std::move(action)); }
  /// Lets the thread end once it has done the actions that were added. Returns false if that takes
  /// longer than `timeout_ns`: the thread is then left to end by itself.
  bool stop(uint64_t timeout_ns);

 private:
  // Shared with the thread, which may outlive this object in a system call.
  std::shared_ptr<ActionQueue> queue_;
};

}  // namespace episcope
