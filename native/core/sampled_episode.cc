#include "sampled_episode.h"

#include <algorithm>
#include <utility>

namespace episcope {
namespace {

/// The requests of one owner delay other episodes by no more than this many frames.
constexpr size_t kMaxFramesAtOnce = 16;

/// These two mark the ends of a session, and only this class sets them.
constexpr uint32_t kEndFlags = flag::kInitial | flag::kTerminal;

}  // namespace

SampledEpisode::SampledEpisode(std::unique_ptr<DrivenEpisode> episode, Sampling sampling,
                               uint64_t anchor_ns, uint32_t id,
                               std::shared_ptr<NewsListener> listener, ReadBuffer& buffer,
                               Clock clock)
    : episode_(std::move(episode)),
      by_hand_(sampling.by_hand),
      on_exhausted_(sampling.on_exhausted),
      clock_(clock),
      mailbox_(id, sampling.notify_every, std::move(listener)),
      pacing_({sampling.period_ns, sampling.fast_period_ns}),
      enforcer_(*episode_, mailbox_, std::move(sampling.actions), clock),
      settler_(*episode_, clock) {
  episode_->set_tripwires(sampling.tripwires);
  if (by_hand_) {
    first_flag_ = flag::kInitial;
    return;
  }
  const uint32_t outcome = note_frame(episode_->sample(flag::kInitial, buffer));
  events_readable_ = episode_->read_events(buffer);
  const uint64_t now = clock_();
  pacing_.start(anchor_ns, now);
  pace(now);
  if ((outcome & outcome::kEnded) != 0) {
    begin_settling(true, buffer);
  } else {
    settler_.linger_if_root_is_gone();
  }
}

uint32_t SampledEpisode::sample(uint32_t flags, ReadBuffer& buffer) {
  if (!sampling()) return outcome::kEnded;
  return note_frame(episode_->sample(by_hand_flags(flags), buffer));
}

uint32_t SampledEpisode::publish(const uint64_t* given, uint32_t flags) {
  if (!sampling()) return outcome::kEnded;
  return note_frame(episode_->publish(given, by_hand_flags(flags)));
}

uint32_t SampledEpisode::by_hand_flags(uint32_t flags) {
  return (flags & ~kEndFlags) | std::exchange(first_flag_, 0);
}

void SampledEpisode::request_frame(uint32_t request, uint32_t flags) {
  mailbox_.request_frame(request, flags & ~kEndFlags);
}

void SampledEpisode::detach() {
  episode_->detach_ring();
  mailbox_.close();
  over_.store(true, std::memory_order_release);
}

void SampledEpisode::action_done(uint32_t id, int error_number) {
  mailbox_.action_done({id, error_number});
  if (const auto queue = queue_.lock()) queue->post(shared_from_this());
}

uint64_t SampledEpisode::wake_ns() const {
  if (mailbox_.has_frames_left()) return 0;
  switch (phase_) {
    case Phase::kSampling:
      if (exhausted_) return 0;
      if (by_hand_) return enforcer_.look_ns();
      return std::min({pacing_.deadline_ns(), settler_.linger_due_ns(), enforcer_.look_ns(),
                       episode_->wall_due_ns()});
    case Phase::kSettling:
      return settler_.due_ns();
    case Phase::kOver:
      break;
  }
  return UINT64_MAX;
}

uint64_t SampledEpisode::serve_by_ns() const {
  const uint64_t wake = wake_ns();
  // Leftover requests wait for the next deadline: served first, they would starve other episodes.
  const bool with_deadline = mailbox_.has_frames_left() || wake == pacing_.deadline_ns();
  return with_deadline ? pacing_.second_deadline_ns() : wake;
}

bool SampledEpisode::due(uint64_t now_ns) const {
  return (phase_ == Phase::kSampling && pacing_.due(now_ns)) || wake_ns() <= now_ns;
}

// Hot: a periodic sample allocates nothing.
void SampledEpisode::wake(uint64_t now_ns, ReadBuffer& buffer) {
  if (over()) {
    // If it was detached, its files are still open.
    if (phase_ != Phase::kOver) episode_->close();
    phase_ = Phase::kOver;
    return;
  }
  serve_requests(buffer);
  if (scheduled() && pacing_.due(now_ns)) sample_deadline(buffer);
  if (scheduled() && episode_->wall_due_ns() <= now_ns) sample_off_schedule(buffer);
  if (sampling() && std::exchange(exhausted_, false)) {
    follow(enforcer_.begin(on_exhausted_, weak_from_this()), buffer);
  }
  if (sampling() && enforcer_.look_ns() <= now_ns) follow(enforcer_.look(buffer), buffer);
  if (scheduled() && settler_.linger_due_ns() <= now_ns && settler_.look_for_end(buffer)) {
    begin_settling(true, buffer);
  }
  serve_end(buffer);
  if (phase_ == Phase::kSettling && settler_.due_ns() <= now_ns && settler_.settle(buffer)) {
    finish(settler_.exited(), buffer);
  }
  mailbox_.tell();
}

void SampledEpisode::exit_hint(ReadBuffer& buffer) {
  if (!sampling()) return;
  episode_->ask_for_exit();
  // cgroup.events polls as changed until it is read, even if the end is detected otherwise.
  events_readable_ = episode_->read_events(buffer);
  if (enforcer_.told()) follow(enforcer_.look(buffer), buffer);
  if (sampling() && settler_.look_for_end(buffer)) begin_settling(true, buffer);
  serve_end(buffer);
  mailbox_.tell();
}

int SampledEpisode::pidfd() const {
  return sampling() && !settler_.lingering() ? episode_->pidfd() : -1;
}

int SampledEpisode::events_fd() const {
  return sampling() && events_readable_ ? episode_->events_fd() : -1;
}

void SampledEpisode::serve_requests(ReadBuffer& buffer) {
  const Requests requests = mailbox_.take_requests();
  if (requests.tripwires) episode_->set_tripwires(*requests.tripwires);
  if (requests.periods) pacing_.set_periods(*requests.periods);
  if (requests.tripwires || requests.periods) pace(clock_());
  end_asked_ |= requests.end;
  if (requests.action_result && sampling()) {
    follow(enforcer_.action_done(*requests.action_result, buffer), buffer);
  }
  for (size_t i = 0; i < kMaxFramesAtOnce && !over(); i++) {
    const std::optional<FrameRequest> request = mailbox_.next_frame();
    if (!request) break;
    serve_frame(*request, buffer);
  }
}

void SampledEpisode::serve_frame(FrameRequest request, ReadBuffer& buffer) {
  uint32_t outcome = outcome::kEnded;
  if (sampling()) outcome = episode_->sample(kSampleHoldIfEnded | request.flags, buffer);
  if ((outcome & outcome::kEnded) != 0) {
    mailbox_.hold_until_end(request.request);
    if (sampling()) begin_settling(true, buffer);
    return;
  }
  mailbox_.reply(request.request, episode_->last_published());
  after_sample(outcome, clock_(), buffer);
}

/// The terminal frame comes after the requested frames, and after an action that is in progress.
void SampledEpisode::serve_end(ReadBuffer& buffer) {
  if (!end_asked_ || !sampling() || mailbox_.has_frames_left() || enforcer_.active()) return;
  if (episode_->ended(buffer)) {
    begin_settling(true, buffer);
  } else {
    finish(false, buffer);
  }
}

void SampledEpisode::sample_deadline(ReadBuffer& buffer) {
  const uint32_t outcome = episode_->sample(kSampleHoldIfEnded, buffer);
  const uint64_t now = clock_();
  pacing_.served(now);
  after_sample(outcome, now, buffer);
}

/// Takes one frame without a deadline; the deadlines stay as they are.
void SampledEpisode::sample_off_schedule(ReadBuffer& buffer) {
  const uint32_t outcome = episode_->sample(kSampleHoldIfEnded, buffer);
  after_sample(outcome, clock_(), buffer);
}

void SampledEpisode::after_sample(uint32_t outcome, uint64_t now_ns, ReadBuffer& buffer) {
  pace(now_ns);
  if ((outcome & outcome::kEnded) != 0) {
    begin_settling(true, buffer);
    return;
  }
  note_frame(outcome);
  settler_.linger_if_root_is_gone();
}

uint32_t SampledEpisode::note_frame(uint32_t outcome) {
  mailbox_.note(outcome, *episode_);
  exhausted_ |= (outcome & outcome::kExhausted) != 0;
  return outcome;
}

/// Changes the period if the tripwires or the owner require it, and stores the missed deadlines.
void SampledEpisode::pace(uint64_t now_ns) {
  pacing_.pace(episode_->speed_up(), now_ns);
  episode_->store_deadlines_missed(pacing_.missed());
}

void SampledEpisode::follow(Enforced enforced, ReadBuffer& buffer) {
  if (enforced == Enforced::kDone) begin_settling(episode_->ended(buffer), buffer);
  if (enforced == Enforced::kGivenUp) end_asked_ = true;
}

void SampledEpisode::begin_settling(bool exited, ReadBuffer& buffer) {
  phase_ = Phase::kSettling;
  settler_.begin(exited, buffer);
}

/// Takes the terminal frame. Nothing comes after it.
void SampledEpisode::finish(bool exited, ReadBuffer& buffer) {
  phase_ = Phase::kOver;
  note_frame(episode_->sample(flag::kTerminal | std::exchange(first_flag_, 0), buffer));
  episode_->close();
  mailbox_.end(exited, episode_->last_published());
  over_.store(true, std::memory_order_release);
}

}  // namespace episcope
