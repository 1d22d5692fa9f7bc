// SampledEpisode for TypeScript: an episode that the process's sampler thread samples.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../core/clock.h"
#include "../core/limits.h"
#include "../core/sampled_episode.h"
#include "../core/sampler.h"
#include "bindings.h"
#include "episode_options.h"
#include "errors.h"
#include "js_class.h"
#include "news_object.h"
#include "shared_thread.h"

namespace episcope {
namespace {

std::vector<Tripwire> tripwires_of(const std::vector<Options>& list) {
  std::vector<Tripwire> tripwires;
  for (const Options& options : list) {
    tripwires.push_back({options.get<uint32_t>("metric", trip_metric::kNames),
                         options.get<uint32_t>("actions"), options.get<uint64_t>("threshold"),
                         options.get<uint64_t>("release")});
  }
  return tripwires;
}

/// Calls the owner with the news; the last news ends the session.
class SessionListener final : public EnvListener {
 public:
  SessionListener(Napi::Function function, std::shared_ptr<SampledSession> session)
      : EnvListener(function), session_(std::move(session)) {}

  Napi::Value take(Napi::Env env, uint32_t, bool& is_last) override {
    if (!session_->episode) return {};
    const News news = session_->episode->take_news();
    if (news.ended) {
      is_last = true;
      EnvState& state = *env.GetInstanceData<EnvState>();
      session_->release();
      state.sessions.erase(session_->id);
      state.children.release_unused();
    }
    return to_object(env, news);
  }

 private:
  std::shared_ptr<SampledSession> session_;
};

/// The owner's handle of a session. The session continues if this is dropped, because its listener
/// holds it too.
class SampledEpisodeObject {
 public:
  static std::unique_ptr<SampledEpisodeObject> open(Options options, Napi::Function on_news,
                                                    Napi::Env env) {
    EnvState& state = *env.GetInstanceData<EnvState>();
    Sampling sampling;
    sampling.period_ns = options.get<uint64_t>("periodNs");
    sampling.fast_period_ns = options.get<uint64_t>("fastPeriodNs");
    sampling.notify_every = options.get<uint32_t>("notifyEvery");
    sampling.tripwires = tripwires_of(options.get<std::vector<Options>>("tripwires"));
    OpenedEpisode opened = open_episode(options, sampling, env);
    if (!opened.episode || !start_sampler(state, env) || !EnvEvents::open(env)) return nullptr;
    const auto session = std::make_shared<SampledSession>();
    session->owners = std::move(opened.owners);
    session->id = state.events->add(env, std::make_shared<SessionListener>(on_news, session));
    // Takes the initial frame.
    session->episode =
        std::make_shared<SampledEpisode>(std::move(opened.episode), std::move(sampling),
                                         opened.start_ns, session->id, state.events, state.buffer);
    state.sessions[session->id] = session;
    state.sampler->add(session->episode);
    return std::make_unique<SampledEpisodeObject>(state, session);
  }

  SampledEpisodeObject(EnvState& state, std::shared_ptr<SampledSession> session)
      : state_(state), session_(std::move(session)) {}

  void request_frame(uint32_t request, uint32_t flags) {
    post([=](SampledEpisode& episode) { episode.request_frame(request, flags); });
  }

  void request_end() {
    post([](SampledEpisode& episode) { episode.request_end(); });
  }

  void set_tripwires(std::vector<Options> tripwires) {
    post([&](SampledEpisode& episode) { episode.request_tripwires(tripwires_of(tripwires)); });
  }

  void set_period(uint64_t period_ns, uint64_t fast_period_ns) {
    post([=](SampledEpisode& episode) { episode.request_period(period_ns, fast_period_ns); });
  }

  void set_waiting(bool waiting, Napi::Env env) {
    if (session_->episode) state_.events->set_holding(env, session_->id, waiting);
  }

 private:
  static bool start_sampler(EnvState& state, Napi::Env env) {
    int error = 0;
    if (state.sampler == nullptr) state.sampler = SharedThread<Sampler>::instance().acquire(error);
    if (error != 0) throw_refusal(env, "ERR_ENGINE_UNAVAILABLE", error);
    return error == 0;
  }

  /// Does nothing once the last news was taken.
  template <typename Request>
  void post(Request&& request) {
    if (!session_->episode) return;
    request(*session_->episode);
    state_.sampler->post(session_->episode);
  }

  EnvState& state_;
  std::shared_ptr<SampledSession> session_;
};

/// Takes the news of these sessions and releases those that are over. Does not call their owners.
template <typename Ids>
void take_ends(EnvState& state, const Ids& ids) {
  for (const uint32_t id : ids) {
    const auto found = state.sessions.find(id);
    if (found == state.sessions.end()) continue;
    SampledSession& session = *found->second;
    if (!session.episode->take_news().ended) continue;
    session.release();
    state.sessions.erase(found);
  }
}

}  // namespace

void end_sampling(EnvState& state, uint64_t deadline_ns) {
  if (state.sampler == nullptr) return;
  std::vector<uint32_t> ids;
  for (const auto& [id, session] : state.sessions) {
    ids.push_back(id);
    session->episode->request_end();
    state.sampler->post(session->episode);
  }
  take_ends(state, ids);
  while (!state.sessions.empty() && state.events->wait(deadline_ns, ids)) take_ends(state, ids);
  for (const auto& [id, session] : state.sessions) {
    session->episode->detach();
    state.sampler->post(session->episode);
    session->release();
  }
  state.sessions.clear();
  state.sampler = nullptr;
  SharedThread<Sampler>::instance().release(saturating_sub(deadline_ns, monotonic_ns()));
}

void init_sampled_episode(Napi::Env env, Napi::Object exports) {
  using Class = JsClass<SampledEpisodeObject>;
  static constexpr JsMethod kMethods[] = {
      Class::method<&SampledEpisodeObject::request_frame>("requestFrame"),
      Class::method<&SampledEpisodeObject::request_end>("requestEnd"),
      Class::method<&SampledEpisodeObject::set_tripwires>("setTripwires"),
      Class::method<&SampledEpisodeObject::set_period>("setPeriod"),
      Class::method<&SampledEpisodeObject::set_waiting>("setWaiting"),
  };
  Class::define(env, exports, "SampledEpisode", kMethods);
}

}  // namespace episcope
