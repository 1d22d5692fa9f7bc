// What the threads of the addon tell one JavaScript environment: ids, through one threadsafe
// function. The threads may outlive the environment; they hold this object, not the environment.
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

class EnvEvents final : public NewsListener, public ActionListener {
 public:
  /// From now on `handler(ids: Uint32Array)` is called on the environment's loop, which that does
  /// not keep alive. `self` owns this object.
  static napi_status open(Napi::Env env, const std::shared_ptr<EnvEvents>& self,
                          Napi::Function handler);

  /// Whether the loop stays alive for what is to come.
  void set_waiting(Napi::Env env, bool waiting);

  // Any thread.
  void news(uint32_t id) override;
  void action_done(uint32_t id, int error_number) override;

  /// The result of an action that was told, once.
  int take_action_result(uint32_t id);

  // At the environment's end, instead of the handler.
  /// Moves the ids that nobody was told into `ids`, waiting for at least one; false at the deadline
  /// (CLOCK_MONOTONIC).
  bool wait(uint64_t deadline_ns, std::vector<uint32_t>& ids);
  /// From now on whatever is told goes nowhere.
  void close();

 private:
  static void deliver(napi_env env, napi_value handler, void* context, void* data);
  void tell(uint32_t id);

  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<uint32_t> untold_;
  std::unordered_map<uint32_t, int> results_;
  napi_threadsafe_function function_ = nullptr;
  bool closed_ = false;
};

}  // namespace episcope
