// Episodes that the process's sampler thread samples, for TypeScript.
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "../core/clock.h"
#include "../core/limits.h"
#include "../core/sampled_episode.h"
#include "../core/sampler.h"
#include "bindings.h"
#include "shared_thread.h"

namespace episcope {
namespace {

/// Never destroyed: see SharedThread.
SharedThread<Sampler>& shared_sampler() {
  static auto* const instance = new SharedThread<Sampler>;
  return *instance;
}

SampledSession* unwrap(const Napi::CallbackInfo& info) {
  return info[0].As<Napi::External<SampledSession>>().Data();
}

uint64_t uint64_of(const Napi::Value& value) {
  bool lossless = false;
  return value.As<Napi::BigInt>().Uint64Value(&lossless);
}

/// Four words a tripwire: metric, actions, threshold, release.
std::vector<Tripwire> tripwires_of(const Napi::Value& value) {
  const Napi::BigUint64Array words = value.As<Napi::BigUint64Array>();
  const size_t count = std::min<size_t>(words.ElementLength() / 4, kMaxTripwires);
  std::vector<Tripwire> tripwires(count);
  for (size_t i = 0; i < count; i++) {
    const uint64_t* wire = words.Data() + i * 4;
    tripwires[i] = {static_cast<uint32_t>(wire[0]), static_cast<uint32_t>(wire[1]), wire[2],
                    wire[3]};
  }
  return tripwires;
}

/// The session's External was dropped. While it runs that is its owner's fault, but it must not
/// write to memory that nobody holds.
void finalize_session(Napi::Env env, SampledSession* session) {
  if (session->episode) {
    EnvState& state = *env.GetInstanceData<EnvState>();
    session->episode->detach();
    state.sampler->post(session->episode);
    state.sessions.erase(session->id);
  }
  delete session;
}

/// Fourteen words: baseline (1: zero), speedUp, the thresholds, the releases. False: no budget's
/// memory.
bool watch_budget(Episode& episode, Napi::Uint8Array memory, const Napi::Value& settings,
                  uint64_t start_ns) {
  const Napi::BigUint64Array words = settings.As<Napi::BigUint64Array>();
  BudgetWatch::Settings watch;
  if (!watch.counters.bind(memory.Data(), memory.ByteLength())) return false;
  watch.from_zero = words[0] != 0;
  watch.start_ns = start_ns;
  for (uint32_t i = 0; i < resource::kCount; i++) {
    watch.thresholds[i] = words[2 + i];
    watch.releases[i] = words[2 + resource::kCount + i];
  }
  episode.watch_budget(watch, words[1] != 0);
  return true;
}

// startEpisode(the nine of open_episode, periodNs, fastPeriodNs, notifyEvery, tripwires, anchorNs,
//              id, onExhausted, budget memory | null, budget settings) → External, the failure,
//              null for a foreign ring, or the errno of the thread.
// The initial frame is in the ring when it returns an External.
Napi::Value StartEpisode(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  EnvState& state = *env.GetInstanceData<EnvState>();
  OpenedEpisode opened = open_episode(info);
  if (!opened.episode) return opened.refusal;
  int error = 0;
  if (state.sampler == nullptr) state.sampler = shared_sampler().acquire(error);
  if (state.sampler == nullptr) return Napi::Number::New(env, error);

  Sampling sampling;
  sampling.period_ns = uint64_of(info[9]);
  sampling.fast_period_ns = uint64_of(info[10]);
  sampling.notify_every = info[11].As<Napi::Number>();
  sampling.tripwires = tripwires_of(info[12]);
  sampling.on_exhausted = static_cast<ExhaustAction>(info[15].As<Napi::Number>().Uint32Value());
  if (sampling.on_exhausted != ExhaustAction::kStop) {
    Actuator* actuator = env_actuator(state, error);
    if (actuator == nullptr) return Napi::Number::New(env, error);
    sampling.actions = actuator->queue();
  }
  const uint64_t anchor_ns = uint64_of(info[13]);
  const bool has_budget = !info[16].IsNull();
  if (has_budget &&
      !watch_budget(*opened.episode, info[16].As<Napi::Uint8Array>(), info[17], anchor_ns)) {
    return env.Null();
  }

  auto* session = new SampledSession;
  session->id = info[14].As<Napi::Number>();
  session->ring_owner = Napi::Persistent(info[8].As<Napi::Uint8Array>());
  if (has_budget) session->budget_owner = Napi::Persistent(info[16].As<Napi::Uint8Array>());
  session->episode =
      std::make_shared<SampledEpisode>(std::move(opened.episode), std::move(sampling), anchor_ns,
                                       session->id, state.events, state.buffer);
  state.sessions[session->id] = session;
  state.sampler->add(session->episode);
  return external(env, session, finalize_session);
}

/// What the sampler is to do for the session; nothing when its end was told.
template <typename Request>
void request(const Napi::CallbackInfo& info, Request&& ask) {
  const SampledSession* session = unwrap(info);
  if (!session->episode) return;
  ask(*session->episode);
  info.Env().GetInstanceData<EnvState>()->sampler->post(session->episode);
}

// requestFrame(session, request, flags)
void RequestFrame(const Napi::CallbackInfo& info) {
  request(info, [&info](SampledEpisode& episode) {
    episode.request_frame(info[1].As<Napi::Number>(), info[2].As<Napi::Number>());
  });
}

void RequestEnd(const Napi::CallbackInfo& info) {
  request(info, [](SampledEpisode& episode) { episode.request_end(); });
}

// setTripwires(session, tripwires)
void SetTripwires(const Napi::CallbackInfo& info) {
  request(info,
          [&info](SampledEpisode& episode) { episode.request_tripwires(tripwires_of(info[1])); });
}

// setPeriod(session, periodNs, fastPeriodNs)
void SetPeriod(const Napi::CallbackInfo& info) {
  request(info, [&info](SampledEpisode& episode) {
    episode.request_period(uint64_of(info[1]), uint64_of(info[2]));
  });
}

Napi::Value number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

Napi::Array sources_array(Napi::Env env, const std::vector<News::SourceChange>& sources) {
  Napi::Array list = Napi::Array::New(env, sources.size());
  for (uint32_t i = 0; i < sources.size(); i++) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("seq", number(env, sources[i].seq));
    item.Set("meta", number(env, sources[i].meta));
    list.Set(i, item);
  }
  return list;
}

Napi::Array trips_array(Napi::Env env, const std::vector<Trip>& trips) {
  Napi::Array list = Napi::Array::New(env, trips.size());
  for (uint32_t i = 0; i < trips.size(); i++) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("index", number(env, trips[i].index));
    item.Set("value", Napi::BigInt::New(env, trips[i].value));
    item.Set("seq", number(env, trips[i].seq));
    list.Set(i, item);
  }
  return list;
}

Napi::Object budget_trip_object(Napi::Env env, const BudgetTrip& trip) {
  Napi::Object item = Napi::Object::New(env);
  item.Set("resource", number(env, trip.resource));
  item.Set("limit", Napi::BigInt::New(env, trip.limit));
  item.Set("consumed", Napi::BigInt::New(env, trip.consumed));
  item.Set("seq", number(env, trip.seq));
  return item;
}

Napi::Array budget_trips_array(Napi::Env env, const std::vector<BudgetTrip>& trips) {
  Napi::Array list = Napi::Array::New(env, trips.size());
  for (uint32_t i = 0; i < trips.size(); i++) list.Set(i, budget_trip_object(env, trips[i]));
  return list;
}

Napi::Value exhaustion_value(Napi::Env env, const std::optional<Exhaustion>& exhaustion) {
  if (!exhaustion) return env.Null();
  Napi::Object item = budget_trip_object(env, *exhaustion);
  item.Set("tsNs", Napi::BigInt::New(env, exhaustion->ts_ns));
  const std::optional<uint64_t>& late = exhaustion->late_ns;
  item.Set("lateNs", late ? Napi::Value(Napi::BigInt::New(env, *late)) : env.Null());
  return item;
}

Napi::Array failed_actions_array(Napi::Env env, const std::vector<FailedAction>& actions) {
  Napi::Array list = Napi::Array::New(env, actions.size());
  for (uint32_t i = 0; i < actions.size(); i++) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("action", number(env, static_cast<uint32_t>(actions[i].action)));
    item.Set("errno", number(env, static_cast<uint32_t>(actions[i].error_number)));
    item.Set("next", number(env, static_cast<uint32_t>(actions[i].next)));
    list.Set(i, item);
  }
  return list;
}

Napi::Array replies_array(Napi::Env env, const std::vector<News::Reply>& replies) {
  Napi::Array list = Napi::Array::New(env, replies.size());
  for (uint32_t i = 0; i < replies.size(); i++) {
    Napi::BigUint64Array words = Napi::BigUint64Array::New(env, kFrameWords);
    // None where the worker was terminated meanwhile.
    if (words.Data() == nullptr) break;
    std::memcpy(words.Data(), replies[i].frame.words, sizeof replies[i].frame.words);
    Napi::Object item = Napi::Object::New(env);
    item.Set("request", number(env, replies[i].request));
    item.Set("words", words);
    list.Set(i, item);
  }
  return list;
}

// takeNews(session) → { frames, sources, warnings, trips, budgetTrips, exhausted, failedActions,
// replies, exited }; exited: null until the end, and from then on the session is released
Napi::Value TakeNews(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  SampledSession* session = unwrap(info);
  if (!session->episode) return env.Null();
  const News news = session->episode->take_news();
  if (news.ended) {
    EnvState& state = *env.GetInstanceData<EnvState>();
    session->release();
    state.sessions.erase(session->id);
    state.children.release_unused();
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("frames", Napi::Boolean::New(env, news.frames));
  object.Set("sources", sources_array(env, news.sources));
  object.Set("warnings", warnings_array(env, news.warnings));
  object.Set("trips", trips_array(env, news.trips));
  object.Set("budgetTrips", budget_trips_array(env, news.budget_trips));
  object.Set("exhausted", exhaustion_value(env, news.exhausted));
  object.Set("failedActions", failed_actions_array(env, news.failed_actions));
  object.Set("replies", replies_array(env, news.replies));
  object.Set("exited", news.ended ? Napi::Value(Napi::Boolean::New(env, news.exited)) : env.Null());
  return object;
}

/// Takes the news of those, and lets go of who is over. News that nobody takes is not told again.
template <typename Ids>
void take_ends(EnvState& state, const Ids& ids) {
  for (const uint32_t id : ids) {
    const auto found = state.sessions.find(id);
    if (found == state.sessions.end()) continue;
    SampledSession& session = *found->second;
    static_cast<void>(session.episode->take_news());
    if (!session.episode->over()) continue;
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
  shared_sampler().release(saturating_sub(deadline_ns, monotonic_ns()));
}

void init_sampler(Napi::Env env, Napi::Object exports) {
  exports.Set("startEpisode", Napi::Function::New<StartEpisode>(env));
  exports.Set("requestFrame", Napi::Function::New<RequestFrame>(env));
  exports.Set("requestEnd", Napi::Function::New<RequestEnd>(env));
  exports.Set("setTripwires", Napi::Function::New<SetTripwires>(env));
  exports.Set("setPeriod", Napi::Function::New<SetPeriod>(env));
  exports.Set("takeNews", Napi::Function::New<TakeNews>(env));
}

}  // namespace episcope
