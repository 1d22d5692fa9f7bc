// What the threads of the addon tell one JavaScript environment: ids, through one threadsafe
// function. The threads may outlive the environment; they hold this object, not the environment.
//
// The package may be evaluated any number of times in one environment (test runners with a module
// registry for each file, loaders that bust caches), and every evaluation finds the same addon. So
// the ids, the listeners and the count of those who wait are kept here, once for the environment.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "../core/actuator.h"
#include "../core/sampled_episode.h"
#include "node_addon_api.h"

namespace episcope {

/// Who is called on the environment's loop when there is news of an id.
class EnvListener {
 public:
  explicit EnvListener(Napi::Function function) : function_(Napi::Persistent(function)) {}
  virtual ~EnvListener() = default;

  /// The argument of the call that is due; an empty value: no call is. Sets `is_last` where no
  /// other will follow.
  virtual Napi::Value take(Napi::Env env, bool& is_last) = 0;
  Napi::Function function() const { return function_.Value(); }

 private:
  Napi::FunctionReference function_;
};

class EnvEvents final : public NewsListener, public ActionListener {
 public:
  // The environment's own thread.
  bool is_open() const { return function_ != nullptr; }
  /// Before the first listener; false, and it has thrown, where that fails. News does not keep the
  /// environment's loop alive by itself.
  static bool open(Napi::Env env);

  /// From now on the listener is called on the environment's loop whenever there is news of the id
  /// that this returns, an id that nobody else in the environment has.
  uint32_t add(std::shared_ptr<EnvListener> listener);
  void remove(uint32_t id);

  /// The loop stays alive until everyone who held it has released it.
  void hold(Napi::Env env);
  void release(Napi::Env env);

  // Any thread.
  void news(uint32_t id) override;
  void action_done(uint32_t id, int error_number) override;

  /// The result of an action that was told, once.
  int take_action_result(uint32_t id);

  // At the environment's end, instead of the listeners.
  /// Moves the ids that nobody was told into `ids`, waiting for at least one; false at the deadline
  /// (CLOCK_MONOTONIC).
  bool wait(uint64_t deadline_ns, std::vector<uint32_t>& ids);
  /// From now on whatever is told goes nowhere.
  void close();

 private:
  static void deliver(napi_env env, napi_value unused, void* context, void* data);
  void tell(uint32_t id);

  // Of the environment's own thread.
  std::unordered_map<uint32_t, std::shared_ptr<EnvListener>> listeners_;
  uint32_t last_id_ = 0;
  uint32_t holders_ = 0;

  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<uint32_t> untold_;
  std::unordered_map<uint32_t, int> results_;
  /// Set and cleared by the environment's own thread, under the lock.
  napi_threadsafe_function function_ = nullptr;
  bool closed_ = false;
};

}  // namespace episcope
