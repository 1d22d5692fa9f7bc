// The one thread for what can stall in the kernel: kill, freeze and removal of cgroups. Beside the
// sampler, so that no episode is sampled late for another's sake.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace episcope {

/// Whoever asked for an action. Called on the actuator's thread: must neither block nor throw, and
/// may outlive its environment (then it does nothing).
class ActionListener {
 public:
  virtual ~ActionListener() = default;
  /// Action `id` is done; 0 or its errno.
  virtual void action_done(uint32_t id, int error_number) = 0;
};

struct Action {
  /// A cgroup's directory.
  std::string directory;
  /// What to write to which file of it, in one write; with no file the directory is removed.
  std::string file;
  std::string text;
  uint32_t id = 0;
  std::shared_ptr<ActionListener> listener;
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
  /// Thread-safe; waits for nothing.
  void add(Action action);
  /// Lets the thread end when it has done what was added. False when that takes longer than
  /// `timeout_ns`: it is left behind then, and ends by itself.
  bool stop(uint64_t timeout_ns);

 private:
  // Shared with the thread, which may be left behind in a kernel call.
  struct State;
  static void* run(void* state);

  std::shared_ptr<State> state_;
};

}  // namespace episcope
