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
#include <variant>
#include <vector>

#include "../core/actuator.h"
#include "../core/log_committer.h"
#include "../core/sampled_episode.h"
#include "node_addon_api.h"

namespace episcope {

/// Who is called on the environment's loop when there is news of an id.
class EnvListener {
 public:
  /// `is_holding`: the loop stays alive until the listener is removed.
  explicit EnvListener(Napi::Function function, bool is_holding = false)
      : function_(Napi::Persistent(function)), is_holding_(is_holding) {}
  virtual ~EnvListener() = default;

  /// The argument of the call that is due; an empty value: no call is. Sets `is_last` where no
  /// other will follow: the listener is removed before the call then.
  virtual Napi::Value take(Napi::Env env, uint32_t id, bool& is_last) = 0;

 private:
  friend class EnvEvents;
  Napi::FunctionReference function_;
  bool is_holding_;
};

class EnvEvents final : public NewsListener, public ActionListener, public LogListener {
 public:
  // The environment's own thread.
  bool is_open() const { return function_ != nullptr; }
  /// Before the first listener; false, and it has thrown, where that fails. News does not keep the
  /// environment's loop alive by itself.
  static bool open(Napi::Env env);

  /// From now on the listener is called on the environment's loop whenever there is news of the id
  /// that this returns, an id that nobody else in the environment has.
  uint32_t add(Napi::Env env, std::shared_ptr<EnvListener> listener);
  void remove(Napi::Env env, uint32_t id);
  void set_holding(Napi::Env env, uint32_t id, bool is_holding);

  // Any thread.
  void news(uint32_t id) override;
  void action_done(uint32_t id, int error_number) override;
  void append_done(uint32_t id, const LogFailure& failure) override;

  /// What was told with the id, once.
  template <typename Result>
  Result take_result(uint32_t id) {
    const std::lock_guard lock(mutex_);
    const auto node = results_.extract(id);
    const Result* result = node.empty() ? nullptr : std::get_if<Result>(&node.mapped());
    return result == nullptr ? Result{} : *result;
  }

  // At the environment's end, instead of the listeners.
  /// Moves the ids that nobody was told into `ids`, waiting for at least one; false at the deadline
  /// (CLOCK_MONOTONIC).
  bool wait(uint64_t deadline_ns, std::vector<uint32_t>& ids);
  /// From now on whatever is told goes nowhere.
  void close();

 private:
  static void deliver(napi_env env, napi_value unused, void* context, void* data);
  void tell(uint32_t id);
  void tell_result(uint32_t id, std::variant<int, LogFailure> result);
  void count_holders(Napi::Env env, int change);

  // Of the environment's own thread.
  std::unordered_map<uint32_t, std::shared_ptr<EnvListener>> listeners_;
  uint32_t last_id_ = 0;
  int holders_ = 0;

  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<uint32_t> untold_;
  std::unordered_map<uint32_t, std::variant<int, LogFailure>> results_;
  /// Set and cleared by the environment's own thread, under the lock.
  napi_threadsafe_function function_ = nullptr;
  bool closed_ = false;
};

}  // namespace episcope
