// Episode for TypeScript: an episode that its owner drives by hand. Also opens any episode.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../core/clock.h"
#include "../core/episode.h"
#include "../core/sampled_episode.h"
#include "bindings.h"
#include "episode_options.h"
#include "errors.h"
#include "js_class.h"
#include "news_object.h"

namespace episcope {
namespace {

void fill(uint64_t (&amounts)[resource::kCount], const std::vector<uint64_t>& given) {
  std::copy_n(given.begin(), std::min<size_t>(given.size(), resource::kCount), amounts);
}

/// Returns the episode, open and bound to its ring, or nullptr if it has thrown.
std::unique_ptr<Episode> open_unwatched(const Options& options, Napi::Env env) {
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

/// Returns false, and has thrown, if the thread that freezes and kills does not start.
bool start_actions(EnvState& state, Sampling& sampling, Napi::Env env) {
  if (sampling.on_exhausted == ExhaustAction::kStop) return true;
  int error = 0;
  Actuator* actuator = env_actuator(state, error);
  if (actuator == nullptr) {
    throw_refusal(env, "ERR_ENGINE_UNAVAILABLE", error);
    return false;
  }
  sampling.actions = actuator->queue();
  return true;
}

void hold(Napi::ObjectReference& owner, const View<uint8_t>& memory, Napi::Env env) {
  owner = Napi::Persistent(Napi::Object(env, memory.array));
}

/// Charges the budget of the options, if there is one, with every frame; `owner` keeps its memory
/// alive. Returns false, and has thrown, unless that memory holds a budget.
bool watch_budget(Episode& episode, const std::optional<Options>& budget, uint64_t start_ns,
                  Napi::ObjectReference& owner, Napi::Env env) {
  if (!budget) return true;
  const auto memory = budget->get<View<uint8_t>>("memory");
  BudgetWatch::Settings watch;
  if (!watch.counters.bind(memory.data, memory.length)) {
    throw_refusal(env, "ERR_INVALID_CONFIG");
    return false;
  }
  watch.from_zero = budget->get<std::string>("baseline") == "zero";
  watch.start_ns = start_ns;
  fill(watch.thresholds, budget->get<std::vector<uint64_t>>("thresholds"));
  fill(watch.releases, budget->get<std::vector<uint64_t>>("releases"));
  episode.watch_budget(watch, budget->get<bool>("speedUp"));
  hold(owner, memory, env);
  return true;
}

/// An episode whose owner drives the same state machine on its own thread.
class EpisodeObject {
 public:
  static std::unique_ptr<EpisodeObject> open(Options options, Napi::Env env) {
    Sampling sampling;
    sampling.by_hand = true;
    OpenedEpisode opened = open_episode(options, sampling, env);
    if (!opened.episode) return nullptr;
    return std::make_unique<EpisodeObject>(std::move(opened), std::move(sampling), env_buffer(env));
  }

  EpisodeObject(OpenedEpisode opened, Sampling sampling, ReadBuffer& buffer)
      : buffer_(buffer),
        episode_(std::make_shared<SampledEpisode>(std::move(opened.episode), std::move(sampling),
                                                  opened.start_ns, 0, nullptr, buffer)),
        owners_(std::move(opened.owners)) {}

  uint32_t sample(uint32_t flags) { return episode_->sample(flags, buffer_); }

  uint32_t publish(View<uint64_t> words, uint32_t flags) {
    return words.length >= kFrameWords ? episode_->publish(words.data, flags) : 0;
  }

  void request_end() { episode_->request_end(); }

  bool wake(Napi::Env env) {
    episode_->wake(monotonic_ns(), buffer_);
    if (!episode_->over()) return false;
    owners_.release();
    env.GetInstanceData<EnvState>()->children.release_unused();
    return true;
  }

  News take_news() { return episode_->take_news(); }

 private:
  ReadBuffer& buffer_;
  std::shared_ptr<SampledEpisode> episode_;
  SharedMemoryOwners owners_;
};

}  // namespace

OpenedEpisode open_episode(const Options& options, Sampling& sampling, Napi::Env env) {
  OpenedEpisode opened;
  sampling.on_exhausted = options.get<ExhaustAction>("onExhausted", kExhaustActionNames);
  opened.start_ns = options.get<uint64_t>("startNs");
  const auto budget = options.get<std::optional<Options>>("budget");
  std::unique_ptr<Episode> episode = open_unwatched(options, env);
  if (!episode || !start_actions(*env.GetInstanceData<EnvState>(), sampling, env)) return opened;
  hold(opened.owners.ring, options.get<View<uint8_t>>("ring"), env);
  if (!watch_budget(*episode, budget, opened.start_ns, opened.owners.budget, env)) return opened;
  opened.episode = std::move(episode);
  return opened;
}

void init_episode(Napi::Env env, Napi::Object exports) {
  using Class = JsClass<EpisodeObject>;
  static constexpr JsMethod kMethods[] = {
      Class::method<&EpisodeObject::sample>("sample"),
      Class::method<&EpisodeObject::publish>("publish"),
      Class::method<&EpisodeObject::request_end>("requestEnd"),
      Class::method<&EpisodeObject::wake>("wake"),
      Class::method<&EpisodeObject::take_news>("takeNews"),
  };
  Class::define(env, exports, "Episode", kMethods);
}

}  // namespace episcope
