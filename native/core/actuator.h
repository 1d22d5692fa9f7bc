// The one thread for what can stall in the kernel: kill, freeze and removal of cgroups. Beside the
// sampler, so that no episode is sampled late for another's sake.
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

/// Whoever asked for an action. Called on the actuator's thread: must neither block nor throw, and
/// may outlive its environment (then it does nothing).
class ActionListener {
 public:
  virtual ~ActionListener() = default;
  /// Action `id` is done; 0 or its errno.
  virtual void action_done(uint32_t id, int error_number) = 0;
};

/// A plan with the descriptor of its cgroup.
class OwnedKillPlan {
 public:
  /// Takes over `plan.cgroup_fd`.
  explicit OwnedKillPlan(KillPlan plan) : cgroup_(plan.cgroup_fd), plan_(std::move(plan)) {}
  KillPlan& plan() { return plan_; }

 private:
  OwnedDescriptor cgroup_;
  KillPlan plan_;
};

struct Action {
  /// A cgroup's directory.
  std::string directory;
  /// What to write to which file of it, in one write; with no file the directory is removed.
  std::string file;
  std::string text;
  uint32_t id = 0;
  std::shared_ptr<ActionListener> listener;
  /// Where `file` is instead of beneath the path `directory`: a cgroup that was made again under
  /// its name is not hit.
  OwnedDescriptor directory_fd = {};
  /// Whom to kill, instead of all that. The actuator's until it tells that it is done; then it
  /// knows who is left.
  std::shared_ptr<OwnedKillPlan> kill = nullptr;
};

/// What the actuator is to do. Whoever holds it may add to it also when the actuator is gone.
class ActionQueue {
 public:
  ActionQueue() = default;
  ActionQueue(const ActionQueue&) = delete;
  ActionQueue& operator=(const ActionQueue&) = delete;

  /// Thread-safe; waits for nothing. False once the actuator was stopped: the action will never be
  /// done, and nothing is told of it.
  bool add(Action action);

 private:
  friend class Actuator;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Action> waiting_;
  bool stopping_ = false;
  bool running_ = false;
};

/// Actions are done one after another, in the order they came.
class Actuator {
 public:
  Actuator();
  Actuator(const Actuator&) = delete;
  Actuator& operator=(const Actuator&) = delete;
  ~Actuator();

  /// Starts the thread, all signals blocked. 0 or an errno.
  int start();
  const std::shared_ptr<ActionQueue>& queue() const { return queue_; }
  /// As the queue's.
  bool add(Action action) { return queue_->add(std::move(action)); }
  /// Lets the thread end when it has done what was added. False when that takes longer than
  /// `timeout_ns`: it is left behind then, and ends by itself.
  bool stop(uint64_t timeout_ns);

 private:
  static void* run(void* queue);

  // Shared with the thread, which may be left behind in a kernel call.
  std::shared_ptr<ActionQueue> queue_;
};

}  // namespace episcope
