// How the threads of the addon notify one JavaScript environment: they send ids through one
// threadsafe function. The threads may outlive the environment; they hold this object, not the
// environment.
//
// The package may be evaluated any number of times in one environment (test runners with a module
// registry for each file, loaders that bust caches), and every evaluation finds the same addon. So
// the ids, the listeners and the count of listeners that hold the loop are kept here, once for
// the environment.
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

/// Is called on the environment's loop when there is news of its id.
class EnvListener {
 public:
  /// `is_holding`: the loop stays alive until the listener is removed.
  explicit EnvListener(Napi::Function function, bool is_holding = false)
      : function_(Napi::Persistent(function)), is_holding_(is_holding) {}
  virtual ~EnvListener() = default;

  /// Returns the argument of the call that is due, or an empty value if none is. Sets `is_last` if
  /// no other call will follow: the listener is then removed before the call.
  virtual Napi::Value take(Napi::Env env, uint32_t id, bool& is_last) = 0;

 private:
  friend class EnvEvents;
  Napi::FunctionReference function_;
  bool is_holding_;
};

class EnvEvents final : public NewsListener, public ActionListener, public LogListener {
 public:
  // Only from the environment's own thread.
  bool is_open() const { return function_ != nullptr; }
  /// Must be called before the first add(). Returns false, and has thrown, on failure. News does
  /// not keep the environment's loop alive by itself.
  static bool open(Napi::Env env);

  /// Returns an id that is unique in the environment. From now on the listener is called on the
  /// environment's loop whenever there is news of that id.
  uint32_t add(Napi::Env env, std::shared_ptr<EnvListener> listener);
  void remove(Napi::Env env, uint32_t id);
  void set_holding(Napi::Env env, uint32_t id, bool is_holding);

  // From any thread.
  void news(uint32_t id) override;
  void action_done(uint32_t id, int error_number) override;
  void append_done(uint32_t id, const LogFailure& failure) override;

  /// Takes the result that was reported with the id: returned only once.
  template <typename Result>
  Result take_result(uint32_t id) {
    const std::lock_guard lock(mutex_);
    const auto node = results_.extract(id);
    const Result* result = node.empty() ? nullptr : std::get_if<Result>(&node.mapped());
    return result == nullptr ? Result{} : *result;
  }

  // Used at the environment's end, when the listeners are not called any more.
  /// Waits for at least one undelivered id and moves all of them into `ids`. Returns false at the
  /// deadline (CLOCK_MONOTONIC).
  bool wait(uint64_t deadline_ns, std::vector<uint32_t>& ids);
  /// From now on all news and results are dropped.
  void close();

 private:
  static void deliver(napi_env env, napi_value unused, void* context, void* data);
  void tell(uint32_t id);
  void tell_result(uint32_t id, std::variant<int, LogFailure> result);
  void count_holders(Napi::Env env, int change);

  // Used only by the environment's own thread.
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
