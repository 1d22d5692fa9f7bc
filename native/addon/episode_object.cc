// Episode for TypeScript: opened for any sampler, or sampled by hand. Its frames go straight into
// the ring's shared memory.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../core/episode.h"
#include "bindings.h"
#include "episode_options.h"
#include "errors.h"
#include "js_class.h"

namespace episcope {
namespace {

/// Once closed, `episode_` is empty and every call does nothing.
class EpisodeObject {
 public:
  static std::unique_ptr<EpisodeObject> open(Options options, Napi::Env env) {
    std::unique_ptr<Episode> episode = open_episode(options, env);
    if (!episode) return nullptr;
    const auto ring = options.get<View<uint8_t>>("ring");
    return std::make_unique<EpisodeObject>(std::move(episode), Napi::Object(env, ring.array));
  }

  EpisodeObject(std::unique_ptr<Episode> episode, Napi::Object ring)
      : episode_(std::move(episode)),
        buffer_(env_buffer(ring.Env())),
        ring_owner_(Napi::Persistent(ring)) {}

  uint32_t sample(uint32_t flags) { return episode_ ? episode_->sample(flags, buffer_) : 0; }

  uint32_t publish(View<uint64_t> words, uint32_t flags) {
    return episode_ && words.length >= kFrameWords ? episode_->publish(words.data, flags) : 0;
  }

  bool settle() { return !episode_ || episode_->settle(buffer_); }

  bool ended() { return !episode_ || episode_->ended(buffer_); }

  std::vector<SampleWarning> take_warnings() {
    std::vector<SampleWarning> warnings(kMaxWarnings);
    warnings.resize(episode_ ? episode_->take_warnings(warnings.data()) : 0);
    return warnings;
  }

  void close(Napi::Env env) {
    episode_.reset();
    ring_owner_.Reset();
    env.GetInstanceData<EnvState>()->children.release_unused();
  }

 private:
  std::unique_ptr<Episode> episode_;
  ReadBuffer& buffer_;
  // Without a strong reference the collector frees the shared memory under the writer.
  Napi::ObjectReference ring_owner_;
};

}  // namespace

std::unique_ptr<Episode> open_episode(const Options& options, Napi::Env env) {
  const auto proc_root = options.get<std::string>("procRoot");
  const auto cgroup = options.get<std::optional<Options>>("cgroup");
  const std::string root = cgroup ? cgroup->get<std::string>("root") : "";
  const std::string path = cgroup ? cgroup->get<std::string>("path") : "";
  const auto ring = options.get<View<uint8_t>>("ring");

  Episode::Options opened;
  opened.process.pid = options.get<int32_t>("pid");
  opened.process.proc_root = proc_root.c_str();
  opened.process.reaper_pid = options.get<int32_t>("reaperPid");
  opened.process.peak_period_ns = options.get<uint64_t>("memoryStatPeriodNs");
  opened.tier = options.get<Tier>("tier", kTierNames);
  opened.cgroup_root = cgroup ? root.c_str() : nullptr;
  opened.cgroup_path = path.c_str();
  opened.require_cgroupfs = !cgroup || cgroup->get<bool>("requireCgroupfs");
  opened.memory_stat_period_ns = opened.process.peak_period_ns;
  if (!options.is_readable()) return nullptr;

  auto episode = std::make_unique<Episode>();
  if (!episode->bind_ring(ring.data, ring.length)) {
    throw_refusal(env, "ERR_RING_CORRUPT");
    return nullptr;
  }
  const ReadFailure failure =
      has_nul(root) || has_nul(path) ? path_failure() : episode->open(opened, env_buffer(env));
  if (failure) {
    throw_failure(env, failure);
    return nullptr;
  }
  if (episode->has_same_pids()) {
    episode->set_exit_watch(
        env.GetInstanceData<EnvState>()->children.watch(env, opened.process.pid));
  }
  return episode;
}

void init_episode(Napi::Env env, Napi::Object exports) {
  using Class = JsClass<EpisodeObject>;
  static constexpr JsMethod kMethods[] = {
      Class::method<&EpisodeObject::sample>("sample"),
      Class::method<&EpisodeObject::publish>("publish"),
      Class::method<&EpisodeObject::settle>("settle"),
      Class::method<&EpisodeObject::ended>("ended"),
      Class::method<&EpisodeObject::take_warnings>("takeWarnings"),
      Class::method<&EpisodeObject::close>("close"),
  };
  Class::define(env, exports, "Episode", kMethods);
}

}  // namespace episcope
