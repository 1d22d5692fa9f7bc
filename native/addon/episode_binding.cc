// Episode for TypeScript: opened for any sampler, or sampled by hand. Its frames go straight into
// the ring's shared memory.
#include <memory>
#include <string>
#include <utility>

#include "../core/episode.h"
#include "bindings.h"

namespace episcope {
namespace {

/// Closed: `episode` is empty, and every call is a no-op.
struct BoundEpisode {
  std::unique_ptr<Episode> episode;
  // Without a strong reference the collector frees the shared memory under the writer.
  Napi::Reference<Napi::Uint8Array> ring_owner;
};

BoundEpisode* unwrap(const Napi::CallbackInfo& info) {
  return info[0].As<Napi::External<BoundEpisode>>().Data();
}

// openEpisode(the nine of open_episode) → External, or the refusal
Napi::Value OpenEpisode(const Napi::CallbackInfo& info) {
  OpenedEpisode opened = open_episode(info);
  if (!opened.episode) return opened.refusal;
  auto* bound = new BoundEpisode;
  bound->episode = std::move(opened.episode);
  bound->ring_owner = Napi::Persistent(info[8].As<Napi::Uint8Array>());
  return external(info.Env(), bound);
}

Napi::Value SampleEpisode(const Napi::CallbackInfo& info) {
  const uint32_t flags = info[1].As<Napi::Number>().Uint32Value();
  BoundEpisode* bound = unwrap(info);
  const uint32_t outcome =
      bound->episode ? bound->episode->sample(flags, env_buffer(info.Env())) : 0;
  return Napi::Number::New(info.Env(), outcome);
}

Napi::Value PublishEpisode(const Napi::CallbackInfo& info) {
  const uint32_t flags = info[2].As<Napi::Number>().Uint32Value();
  const uint64_t* words = info[1].As<Napi::BigUint64Array>().Data();
  BoundEpisode* bound = unwrap(info);
  const uint32_t outcome = bound->episode ? bound->episode->publish(words, flags) : 0;
  return Napi::Number::New(info.Env(), outcome);
}

Napi::Value SettleEpisode(const Napi::CallbackInfo& info) {
  BoundEpisode* bound = unwrap(info);
  return Napi::Boolean::New(info.Env(),
                            !bound->episode || bound->episode->settle(env_buffer(info.Env())));
}

Napi::Value EpisodeEnded(const Napi::CallbackInfo& info) {
  BoundEpisode* bound = unwrap(info);
  return Napi::Boolean::New(info.Env(),
                            !bound->episode || bound->episode->ended(env_buffer(info.Env())));
}

// episodeWarnings(episode) → { part, failure }[]
Napi::Value EpisodeWarnings(const Napi::CallbackInfo& info) {
  SampleWarning warnings[kMaxWarnings];
  BoundEpisode* bound = unwrap(info);
  const uint32_t count = bound->episode ? bound->episode->take_warnings(warnings) : 0;
  return warnings_array(info.Env(), {warnings, count});
}

void CloseEpisode(const Napi::CallbackInfo& info) {
  BoundEpisode* bound = unwrap(info);
  bound->episode.reset();
  bound->ring_owner.Reset();
  info.Env().GetInstanceData<EnvState>()->children.release_unused();
}

}  // namespace

OpenedEpisode open_episode(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string proc_root = info[1].As<Napi::String>();
  const bool has_cgroup = info[4].IsString();
  const std::string cgroup_root = has_cgroup ? info[4].As<Napi::String>().Utf8Value() : "";
  const std::string cgroup_path = info[5].As<Napi::String>();
  bool lossless = false;

  Episode::Options options;
  options.process.pid = info[0].As<Napi::Number>().Int32Value();
  options.process.proc_root = proc_root.c_str();
  options.process.reaper_pid = info[2].As<Napi::Number>().Int32Value();
  options.tier = static_cast<Tier>(info[3].As<Napi::Number>().Uint32Value());
  options.cgroup_root = has_cgroup ? cgroup_root.c_str() : nullptr;
  options.cgroup_path = cgroup_path.c_str();
  options.require_cgroupfs = info[6].As<Napi::Boolean>();
  options.memory_stat_period_ns = info[7].As<Napi::BigInt>().Uint64Value(&lossless);
  options.process.peak_period_ns = options.memory_stat_period_ns;

  auto episode = std::make_unique<Episode>();
  Napi::Uint8Array ring = info[8].As<Napi::Uint8Array>();
  if (!episode->bind_ring(ring.Data(), ring.ByteLength())) return {nullptr, env.Null()};
  const ReadFailure failure = has_nul(cgroup_root) || has_nul(cgroup_path)
                                  ? path_failure()
                                  : episode->open(options, env_buffer(env));
  if (failure) return {nullptr, failure_object(env, failure)};
  if (episode->has_same_pids()) {
    episode->set_exit_watch(
        env.GetInstanceData<EnvState>()->children.watch(env, options.process.pid));
  }
  return {std::move(episode), Napi::Value()};
}

void init_episode(Napi::Env env, Napi::Object exports) {
  exports.Set("openEpisode", Napi::Function::New<OpenEpisode>(env));
  exports.Set("sampleEpisode", Napi::Function::New<SampleEpisode>(env));
  exports.Set("publishEpisode", Napi::Function::New<PublishEpisode>(env));
  exports.Set("settleEpisode", Napi::Function::New<SettleEpisode>(env));
  exports.Set("episodeEnded", Napi::Function::New<EpisodeEnded>(env));
  exports.Set("episodeWarnings", Napi::Function::New<EpisodeWarnings>(env));
  exports.Set("closeEpisode", Napi::Function::New<CloseEpisode>(env));
}

}  // namespace episcope
