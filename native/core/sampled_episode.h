// One episode as the sampler thread runs it: serves the owner's requests and what is due, and ends
// the episode once. The decisions are made in mailbox.h, pacing.h, enforcer.h and settler.h. The
// twin of src/engine/js/sampled-episode.ts; both run test/tables/sampled-episode.txt.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "clock.h"
#include "driven_episode.h"
#include "enforcer.h"
#include "mailbox.h"
#include "pacing.h"
#include "settler.h"

namespace episcope {

class SampledEpisode;

/// The queue of the episodes that have something to do (Sampler::post). Thread-safe.
class EpisodeQueue {
 public:
  virtual ~EpisodeQueue() = default;
  virtual void post(std::shared_ptr<SampledEpisode> episode) = 0;
};

struct Sampling {
  uint64_t period_ns = 0;
  uint64_t fast_period_ns = 0;
  uint32_t notify_every = 0;  // number of frames; 0 means never
  std::vector<Tripwire> tripwires;
  ExhaustAction on_exhausted = ExhaustAction::kStop;
  /// The queue of the thread that freezes and kills; null if no such action is requested.
  std::shared_ptr<ActionQueue> actions = {};
  /// The owner drives the episode on its own thread: no initial frame, no deadlines, no search for
  /// the end. Frames are taken by sample() and publish(), and wake() brings it to its end.
  bool by_hand = false;
};

class SampledEpisode : public ActionListener, public std::enable_shared_from_this<SampledEpisode> {
 public:
  /// `episode` must be open and bound. Takes the initial frame. The deadlines count from
  /// `anchor_ns`. The listener is not called before the first wake().
  SampledEpisode(std::unique_ptr<DrivenEpisode> episode, Sampling sampling, uint64_t anchor_ns,
                 uint32_t id, std::shared_ptr<NewsListener> listener, ReadBuffer& buffer,
                 Clock clock = monotonic_ns);

  // For an episode that is driven by hand. Return outcome bits, or kEnded once settling has begun.
  uint32_t sample(uint32_t flags, ReadBuffer& buffer);
  uint32_t publish(const uint64_t* given, uint32_t flags);

  // May be called from any thread. A request is served after Sampler::post(), or by the next
  // wake().
  void request_frame(uint32_t request, uint32_t flags);
  void request_end() { mailbox_.request_end(); }
  void request_tripwires(std::vector<Tripwire> tripwires) {
    mailbox_.request_tripwires(std::move(tripwires));
  }
  void request_period(uint64_t period_ns, uint64_t fast_period_ns) {
    mailbox_.request_periods({period_ns, fast_period_ns});
  }
  News take_news() { return mailbox_.take_news(episode_->last_published()); }
  /// Marks the ring as ended: from now on nothing is written to it, and the listener is not called
  /// except by a call that is in progress. Waits at most for the copy of one frame. The sampler
  /// closes the files at its next wake, which post() hastens.
  void detach();
  /// Called on the actuator's thread when an action on the episode's processes is done.
  void action_done(uint32_t id, int error_number) override;
  /// Sets the queue that serves the episode. Must be called before it is sampled.
  void set_queue(std::weak_ptr<EpisodeQueue> queue) { queue_ = std::move(queue); }
  /// Returns false if the episode is already in the sampler's queue, which holds it only once.
  bool enter_queue() { return !queued_.exchange(true, std::memory_order_acq_rel); }
  /// Whether the terminal frame is published or the episode is detached. The memory of the ring is
  /// then no longer accessed.
  bool over() const { return over_.load(std::memory_order_acquire); }

  // Called only by the sampler thread; `now_ns` is CLOCK_MONOTONIC.
  /// Must be called before the requests that it was queued for are served.
  void leave_queue() { queued_.exchange(false, std::memory_order_acq_rel); }
  /// When the episode must be woken next.
  uint64_t wake_ns() const;
  /// Of the episodes that are due, the one with the earliest time is served first, so that each
  /// deadline is served before the next one.
  uint64_t serve_by_ns() const;
  /// Whether a wake at `now_ns`, perhaps a little early, has something to do.
  bool due(uint64_t now_ns) const;
  /// Serves requests and what is due. If many frames are requested, it serves some of them and is
  /// due again at once.
  void wake(uint64_t now_ns, ReadBuffer& buffer);
  /// Called when its process may have exited, or its cgroup's population may have changed.
  void exit_hint(ReadBuffer& buffer);
  /// Readable once the process has exited; −1 if there is none or the exit has been seen.
  int pidfd() const;
  /// The kept cgroup.events; −1 if there is none (no cgroup, or a removed one) or the end has been
  /// seen.
  int events_fd() const;

 private:
  enum class Phase { kSampling, kSettling, kOver };

  bool sampling() const { return phase_ == Phase::kSampling && !over(); }
  bool scheduled() const { return sampling() && !by_hand_; }
  uint32_t by_hand_flags(uint32_t flags);
  void serve_requests(ReadBuffer& buffer);
  void serve_frame(FrameRequest request, ReadBuffer& buffer);
  void serve_end(ReadBuffer& buffer);
  void sample_deadline(ReadBuffer& buffer);
  void sample_off_schedule(ReadBuffer& buffer);
  void after_sample(uint32_t outcome, uint64_t now_ns, ReadBuffer& buffer);
  /// Returns `outcome`.
  uint32_t note_frame(uint32_t outcome);
  void pace(uint64_t now_ns);
  void follow(Enforced enforced, ReadBuffer& buffer);
  void begin_settling(bool exited, ReadBuffer& buffer);
  void finish(bool exited, ReadBuffer& buffer);

  const std::unique_ptr<DrivenEpisode> episode_;
  const bool by_hand_;
  const ExhaustAction on_exhausted_;
  const Clock clock_;
  Mailbox mailbox_;

  // Used only by the sampler thread, and by the constructor before it.
  Pacing pacing_;
  Enforcer enforcer_;
  Settler settler_;
  Phase phase_ = Phase::kSampling;
  bool events_readable_ = false;
  /// A limit was reached, and no action has been taken yet.
  bool exhausted_ = false;
  bool end_asked_ = false;
  /// kInitial until the first frame has been taken by hand.
  uint32_t first_flag_ = 0;

  std::atomic<bool> over_{false};
  std::atomic<bool> queued_{false};
  std::weak_ptr<EpisodeQueue> queue_;  // set once
};

}  // namespace episcope
