// What the owner of a sampled episode and the sampler exchange: requests, news, the answers to
// requested frames, and the notification that there is news. The twin of src/engine/js/mailbox.ts.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "driven_episode.h"
#include "enforcement.h"
#include "news_listener.h"

namespace episcope {

/// What is reported to the owner (SamplerNews in src/engine/engine.ts). If the owner does not take
/// its news, only the newest of each kind are kept.
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
  std::vector<FailedAction> failed_actions;  // at most one of each action
  std::vector<Reply> replies;

  bool empty() const {
    return !frames && !ended && sources.empty() && warnings.empty() && trips.empty() &&
           budget_trips.empty() && !exhausted && failed_actions.empty() && replies.empty();
  }
};

struct FrameRequest {
  uint32_t request = 0;
  uint32_t flags = 0;
};

struct Periods {
  uint64_t base_ns = 0;
  uint64_t fast_ns = 0;
};

struct ActionResult {
  uint32_t id = 0;
  int error_number = 0;
};

/// Requests other than for frames; the newest of each kind.
struct Requests {
  std::optional<std::vector<Tripwire>> tripwires;
  std::optional<Periods> periods;
  std::optional<ActionResult> action_result;
  bool end = false;
};

class Mailbox {
 public:
  /// `notify_every`: report new frames in steps of this number; 0 reports none.
  Mailbox(uint32_t id, uint32_t notify_every, std::shared_ptr<NewsListener> listener);

  // May be called from any thread.
  void request_frame(uint32_t request, uint32_t flags);
  void request_end();
  void request_tripwires(std::vector<Tripwire> tripwires);
  void request_periods(Periods periods);
  void action_done(ActionResult result);
  /// Every frame requested before `ended` was taken is answered, at the latest with `last`, which
  /// is then the terminal frame.
  News take_news(const Reading& last);
  /// The owner is no longer notified, except by a call that is in progress.
  void close();

  // Called only by the thread that samples.
  Requests take_requests();
  bool has_frames_left() const { return !frames_left_.empty(); }
  /// The oldest request for a frame that take_requests() has seen.
  std::optional<FrameRequest> next_frame();
  /// The terminal frame will answer it.
  void hold_until_end(uint32_t request) { held_.push_back(request); }
  void reply(uint32_t request, const Reading& frame);
  /// Adds the news of a published frame.
  void note(uint32_t outcome, DrivenEpisode& episode);
  void note_failed(const FailedAction& failed);
  /// The terminal frame is out: it answers all requests, and nothing comes after it.
  void end(bool exited, const Reading& terminal);
  /// Notifies the owner, once for everything that it has not taken yet.
  void tell();

 private:
  const uint32_t id_;
  const uint32_t notify_every_;

  // Used only by the thread that samples.
  uint32_t untold_frames_ = 0;
  std::deque<FrameRequest> frames_left_;
  std::vector<uint32_t> held_;
  bool has_news_ = false;

  std::mutex mutex_;  // guards the members below
  std::vector<FrameRequest> frames_;
  Requests requests_;
  News news_;
  bool told_ = false;  // the listener was called, and nothing was taken since then
  std::shared_ptr<NewsListener> listener_;
};

}  // namespace episcope
