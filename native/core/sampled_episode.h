// One episode in the hands of the sampler thread: what is due when, the end that must not be lost,
// and what its owner asks and is told. The twin of src/engine/js/sampled-episode.ts.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "actuator.h"
#include "clock.h"
#include "enforcement.h"
#include "episode.h"
#include "news_listener.h"
#include "pacer.h"
#include "tripwires.h"

namespace episcope {

/// What the owner is told (SamplerNews in src/engine/engine.ts).
struct News {
  struct SourceChange {
    uint64_t seq = 0;
    uint32_t meta = 0;
  };
  struct Reply {
    uint32_t request = 0;
    Reading frame;  // with its seq
  };
  bool frames = false;
  bool ended = false;
  bool exited = false;
  std::vector<SourceChange> sources;
  std::vector<SampleWarning> warnings;  // kMaxWarnings, no two the same
  std::vector<Trip> trips;
  std::vector<BudgetTrip> budget_trips;
  std::optional<Exhaustion> exhausted;
  std::vector<FailedAction> failed_actions;  // one of each at most
  std::vector<Reply> replies;

  bool empty() const {
    return !frames && !ended && sources.empty() && warnings.empty() && trips.empty() &&
           budget_trips.empty() && !exhausted && failed_actions.empty() && replies.empty();
  }
};

class SampledEpisode;

/// Where an episode that has something to do is put (Sampler::post). Any thread.
class EpisodeQueue {
 public:
  virtual ~EpisodeQueue() = default;
  virtual void post(std::shared_ptr<SampledEpisode> episode) = 0;
};

struct Sampling {
  uint64_t period_ns = 0;
  uint64_t fast_period_ns = 0;
  uint32_t notify_every = 0;  // frames; 0: never
  std::vector<Tripwire> tripwires;
  ExhaustAction on_exhausted = ExhaustAction::kStop;
  /// Who freezes and kills; empty where nothing of that is asked for.
  std::shared_ptr<ActionQueue> actions = {};
};

class SampledEpisode : public ActionListener, public std::enable_shared_from_this<SampledEpisode> {
 public:
  using Clock = uint64_t (*)();

  /// `episode` is open and bound. Takes the initial frame. `anchor_ns`: the deadlines count from
  /// there. The listener is not called before the first wake().
  SampledEpisode(std::unique_ptr<Episode> episode, Sampling sampling, uint64_t anchor_ns,
                 uint32_t id, std::shared_ptr<NewsListener> listener, ReadBuffer& buffer,
                 Clock clock = monotonic_ns);

  // Any thread. A request is served after Sampler::post().
  void request_frame(uint32_t request, uint32_t flags);
  void request_end();
  void request_tripwires(std::vector<Tripwire> tripwires);
  void request_period(uint64_t period_ns, uint64_t fast_period_ns);
  /// A frame that was asked for before `ended` was taken is answered with it at the latest.
  News take_news();
  /// From now on nothing is written to the ring, which is marked as ended, and nobody is told (but
  /// for a call that is under way). Waits for no more than the copy of one frame. The sampler
  /// closes the files at its next wake: post() makes that soon.
  void detach();
  /// An action on the episode's processes is done: on the actuator's thread.
  void action_done(uint32_t id, int error_number) override;
  /// Before it is sampled: the queue that serves it.
  void set_queue(std::weak_ptr<EpisodeQueue> queue) { queue_ = std::move(queue); }
  /// False where it stands in the sampler's queue already, which holds it once.
  bool enter_queue() { return !queued_.exchange(true, std::memory_order_acq_rel); }
  /// The terminal frame is out, or detached: the ring's memory is not touched any more.
  bool over() const { return over_.load(std::memory_order_acquire); }

  // The sampler thread alone; `now_ns` is CLOCK_MONOTONIC.
  /// Before the requests are served that it was queued for.
  void leave_queue() { queued_.exchange(false, std::memory_order_acq_rel); }
  /// When it wants to be woken next.
  uint64_t wake_ns() const;
  /// Of those who are due, who wants this first goes first: a deadline is served in time before the
  /// next one.
  uint64_t serve_by_ns() const;
  /// Whether a wake at `now_ns` has something to do, be it a little early.
  bool due(uint64_t now_ns) const;
  /// Serves requests, and what is due. Of many frames that were asked for it serves some, and wants
  /// to be woken again at once.
  void wake(uint64_t now_ns, ReadBuffer& buffer);
  /// Its process exited, or its cgroup's population changed.
  void exit_hint(ReadBuffer& buffer);
  /// Readable at the exit; −1: none, or the exit was seen.
  int pidfd() const;
  /// The kept cgroup.events; −1: none (no cgroup, or it is removed), or the end was seen.
  int events_fd() const;

 private:
  enum class Phase { kSampling, kFoundEnded, kSettling, kOver };
  struct Periods {
    uint64_t base_ns = 0;
    uint64_t fast_ns = 0;
  };
  struct FrameRequest {
    uint32_t request = 0;
    uint32_t flags = 0;
  };
  struct ActionResult {
    uint32_t id = 0;
    int error_number = 0;
  };
  struct Requests {
    std::vector<FrameRequest> frames;
    std::optional<std::vector<Tripwire>> tripwires;
    std::optional<Periods> periods;
    std::optional<ActionResult> action_result;
    bool end = false;
    bool empty() const {
      return frames.empty() && !tripwires && !periods && !action_result && !end;
    }
  };
  /// What is being done to the episode's processes. kStop: nothing.
  struct Enforcing {
    ExhaustAction action = ExhaustAction::kStop;
    bool outside = false;  // of the cgroup, whose members were killed
    bool again = false;    // not all found or not all dead at once: to be done again at look_ns
    int error_number = 0;  // why
    bool done = false;     // by the actuator; it may take a while to come about
    uint64_t look_ns = UINT64_MAX;
    uint64_t delay_ns = 0;
    uint64_t limit_ns = 0;
    std::shared_ptr<OwnedKillPlan> kill = nullptr;  // goes on where it is done again
    bool active() const { return action != ExhaustAction::kStop; }
  };

  void take_requests(ReadBuffer& buffer);
  void serve_requests(ReadBuffer& buffer);
  void serve_frame(FrameRequest request, ReadBuffer& buffer);
  void serve_end(ReadBuffer& buffer);
  void sample_deadline(ReadBuffer& buffer);
  void sample_beside(ReadBuffer& buffer);
  void after_sample(uint32_t outcome, ReadBuffer& buffer);
  void enforce(ExhaustAction action);
  void act();
  void acted(ActionResult result, ReadBuffer& buffer);
  void look_at_action(ReadBuffer& buffer);
  void give_up(int error_number);
  void look_for_end(ReadBuffer& buffer);
  void linger_if_root_is_gone();
  void begin_settling(bool exited, ReadBuffer& buffer);
  void settle(ReadBuffer& buffer);
  void finish(bool exited, ReadBuffer& buffer);
  void close();
  void pace();
  void note_frame(uint32_t outcome);
  void reply(uint32_t request);
  void tell();

  const std::unique_ptr<Episode> episode_;
  const uint32_t id_;
  const uint32_t notify_every_;
  const ExhaustAction on_exhausted_;
  const std::shared_ptr<ActionQueue> actions_;
  const Clock clock_;

  // The sampler thread's (the constructor's before that).
  Phase phase_ = Phase::kSampling;
  Pacer pacer_;
  Periods periods_;
  bool events_readable_ = false;
  bool lingering_ = false;
  uint64_t linger_due_ns_ = 0;
  uint64_t linger_delay_ns_ = 0;
  uint64_t settle_begin_ns_ = 0;
  uint64_t settle_changed_ns_ = 0;
  uint64_t settle_due_ns_ = 0;
  bool exited_ = false;  // the episode itself ended
  Enforcing enforcing_;
  uint32_t action_id_ = 0;  // of the last action
  /// The initial frame reached a limit: an action needs a shared owner, which there is by then.
  bool exhaust_at_first_wake_ = false;
  uint32_t untold_frames_ = 0;
  std::deque<FrameRequest> frames_asked_;
  bool end_asked_ = false;
  std::vector<uint32_t> waiting_for_end_;  // requests whose answer is the terminal frame
  uint32_t missed_stored_ = 0;
  bool has_news_ = false;

  std::atomic<bool> over_{false};
  std::atomic<bool> queued_{false};

  std::mutex mutex_;  // of what follows
  Requests requests_;
  News news_;
  bool told_ = false;  // the listener was called, and nothing was taken since then
  std::shared_ptr<NewsListener> listener_;
  std::weak_ptr<EpisodeQueue> queue_;  // set once
};

}  // namespace episcope
