#include "sampled_episode.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

namespace episcope {
namespace {

constexpr uint64_t kMs = 1'000'000;

/// One owner's requests hold up nobody else's episode for longer than this many frames.
constexpr size_t kMostFramesAtOnce = 16;

/// These two mark the ends of a session, and only this sets them.
constexpr uint32_t kEndFlags = flag::kInitial | flag::kTerminal;

template <typename T>
void keep_newest(std::vector<T>& items, size_t most) {
  if (items.size() <= most) return;
  items.erase(items.begin(), items.end() - static_cast<std::ptrdiff_t>(most));
}

void add_warning(std::vector<SampleWarning>& warnings, const SampleWarning& warning) {
  std::erase_if(warnings, [&](const SampleWarning& other) { return same_warning(warning, other); });
  warnings.push_back(warning);
  keep_newest(warnings, kMaxWarnings);
}

}  // namespace

SampledEpisode::SampledEpisode(std::unique_ptr<Episode> episode, Sampling sampling,
                               uint64_t anchor_ns, uint32_t id,
                               std::shared_ptr<NewsListener> listener, ReadBuffer& buffer,
                               Clock clock)
    : episode_(std::move(episode)),
      id_(id),
      notify_every_(sampling.notify_every),
      on_exhausted_(sampling.on_exhausted),
      actions_(std::move(sampling.actions)),
      clock_(clock),
      periods_{sampling.period_ns, sampling.fast_period_ns},
      listener_(std::move(listener)) {
  episode_->set_tripwires(sampling.tripwires);
  const uint32_t outcome = episode_->sample(flag::kInitial, buffer);
  note_frame(outcome);
  exhaust_at_first_wake_ = (outcome & outcome::kExhausted) != 0;
  events_readable_ = episode_->read_events(buffer);
  pacer_.start(anchor_ns, periods_.base_ns, clock_());
  pace();
  if ((outcome & outcome::kEnded) != 0) {
    phase_ = Phase::kFoundEnded;
  } else {
    linger_if_root_is_gone();
  }
}

void SampledEpisode::request_frame(uint32_t request, uint32_t flags) {
  const std::lock_guard lock(mutex_);
  requests_.frames.push_back({request, flags & ~kEndFlags});
}

void SampledEpisode::request_end() {
  const std::lock_guard lock(mutex_);
  requests_.end = true;
}

void SampledEpisode::request_tripwires(std::vector<Tripwire> tripwires) {
  const std::lock_guard lock(mutex_);
  requests_.tripwires = std::move(tripwires);
}

void SampledEpisode::request_period(uint64_t period_ns, uint64_t fast_period_ns) {
  const std::lock_guard lock(mutex_);
  requests_.periods = {period_ns, fast_period_ns};
}

News SampledEpisode::take_news() {
  const std::lock_guard lock(mutex_);
  told_ = false;
  // The last news there is: what was asked for too late for the sampler is answered here.
  if (news_.ended) {
    for (const FrameRequest& late : requests_.frames) {
      news_.replies.push_back({late.request, episode_->last_published()});
    }
  }
  return std::exchange(news_, {});
}

void SampledEpisode::detach() {
  episode_->detach_ring();
  std::shared_ptr<NewsListener> gone;  // let go of outside the lock
  const std::lock_guard lock(mutex_);
  gone = std::move(listener_);
  over_.store(true, std::memory_order_release);
}

uint64_t SampledEpisode::wake_ns() const {
  if (!frames_asked_.empty()) return 0;
  switch (phase_) {
    case Phase::kSampling:
      return std::min({pacer_.deadline_ns(), lingering_ ? linger_due_ns_ : UINT64_MAX,
                       enforcing_.look_ns, episode_->wall_due_ns()});
    case Phase::kFoundEnded:
      return 0;
    case Phase::kSettling:
      return settle_due_ns_;
    case Phase::kOver:
      break;
  }
  return UINT64_MAX;
}

uint64_t SampledEpisode::serve_by_ns() const {
  const uint64_t deadline_ns = pacer_.deadline_ns();
  const uint64_t wake = wake_ns();
  // Requests that are left over go with the next deadline: always first, they would starve others.
  return !frames_asked_.empty() || wake == deadline_ns ? deadline_ns + pacer_.period_ns() : wake;
}

bool SampledEpisode::due(uint64_t now_ns) const {
  return (phase_ == Phase::kSampling && pacer_.due(now_ns)) || wake_ns() <= now_ns;
}

// Hot: a periodic sample allocates nothing.
void SampledEpisode::wake(uint64_t now_ns, ReadBuffer& buffer) {
  if (over()) {
    close();
  } else {
    if (exhaust_at_first_wake_) {
      exhaust_at_first_wake_ = false;
      if (phase_ == Phase::kSampling) enforce(on_exhausted_);
    }
    serve_requests(buffer);
    if (phase_ == Phase::kSampling && pacer_.due(now_ns)) sample_deadline(buffer);
    if (phase_ == Phase::kSampling && episode_->wall_due_ns() <= now_ns) sample_beside(buffer);
    if (phase_ == Phase::kSampling && enforcing_.look_ns <= now_ns) look_at_action(buffer);
    if (phase_ == Phase::kSampling && lingering_ && linger_due_ns_ <= now_ns) look_for_end(buffer);
    serve_end(buffer);
    if (phase_ == Phase::kFoundEnded) {
      begin_settling(true, buffer);
    } else if (phase_ == Phase::kSettling && settle_due_ns_ <= now_ns) {
      settle(buffer);
    }
  }
  tell();
}

void SampledEpisode::exit_hint(ReadBuffer& buffer) {
  if (over() || phase_ != Phase::kSampling) return;
  episode_->ask_for_exit();
  // It polls as changed until it is read, whatever else tells of the end.
  events_readable_ = episode_->read_events(buffer);
  if (enforcing_.done) look_at_action(buffer);
  if (phase_ == Phase::kSampling) look_for_end(buffer);
  serve_end(buffer);
  tell();
}

int SampledEpisode::pidfd() const {
  return phase_ == Phase::kSampling && !lingering_ && !over() ? episode_->pidfd() : -1;
}

int SampledEpisode::events_fd() const {
  return phase_ == Phase::kSampling && events_readable_ && !over() ? episode_->events_fd() : -1;
}

void SampledEpisode::take_requests(ReadBuffer& buffer) {
  Requests requests;
  {
    const std::lock_guard lock(mutex_);
    if (requests_.empty()) return;
    std::swap(requests, requests_);
  }
  if (requests.tripwires) episode_->set_tripwires(*requests.tripwires);
  if (requests.periods) periods_ = *requests.periods;
  frames_asked_.insert(frames_asked_.end(), requests.frames.begin(), requests.frames.end());
  end_asked_ |= requests.end;
  pace();
  if (requests.action_result) acted(*requests.action_result, buffer);
}

void SampledEpisode::serve_requests(ReadBuffer& buffer) {
  take_requests(buffer);
  for (size_t i = 0; i < kMostFramesAtOnce && !frames_asked_.empty(); i++) {
    if (over()) return;
    const FrameRequest request = frames_asked_.front();
    frames_asked_.pop_front();
    serve_frame(request, buffer);
  }
}

/// The terminal frame comes after the frames that were asked for, and after what is being done to
/// the episode.
void SampledEpisode::serve_end(ReadBuffer& buffer) {
  if (!end_asked_ || !frames_asked_.empty() || enforcing_.active()) return;
  if (phase_ != Phase::kSampling || over()) return;
  if (episode_->ended(buffer)) {
    begin_settling(true, buffer);
  } else {
    finish(false, buffer);
  }
}

void SampledEpisode::serve_frame(FrameRequest request, ReadBuffer& buffer) {
  uint32_t outcome = outcome::kEnded;
  if (phase_ == Phase::kSampling)
    outcome = episode_->sample(kSampleHoldIfEnded | request.flags, buffer);
  if ((outcome & outcome::kEnded) != 0) {
    waiting_for_end_.push_back(request.request);
    if (phase_ == Phase::kSampling) begin_settling(true, buffer);
    return;
  }
  reply(request.request);
  after_sample(outcome, buffer);
}

void SampledEpisode::sample_deadline(ReadBuffer& buffer) {
  const uint32_t outcome = episode_->sample(kSampleHoldIfEnded, buffer);
  pacer_.served(clock_());
  after_sample(outcome, buffer);
}

/// One frame beside the period.
void SampledEpisode::sample_beside(ReadBuffer& buffer) {
  after_sample(episode_->sample(kSampleHoldIfEnded, buffer), buffer);
}

void SampledEpisode::after_sample(uint32_t outcome, ReadBuffer& buffer) {
  if ((outcome & outcome::kEnded) != 0) {
    pace();
    begin_settling(true, buffer);
    return;
  }
  note_frame(outcome);
  pace();
  linger_if_root_is_gone();
  if ((outcome & outcome::kExhausted) != 0) enforce(on_exhausted_);
}

void SampledEpisode::enforce(ExhaustAction action) {
  if (action == ExhaustAction::kStop) {
    end_asked_ = true;
    return;
  }
  enforcing_ = {};
  enforcing_.action = action;
  enforcing_.limit_ns = enforcing_.look_ns = clock_() + kEnforceLimitNs;
  if (action == ExhaustAction::kFreeze && !episode_->has_cgroup()) {
    give_up(0);
  } else {
    act();
  }
}

/// Has the actuator do it.
void SampledEpisode::act() {
  Action action;
  if (enforcing_.kill) {
    action.kill = enforcing_.kill;
  } else {
    action = episode_->enforcement(enforcing_.action, enforcing_.outside);
    enforcing_.kill = action.kill;
  }
  if (!action.kill && action.directory_fd.get() < 0) {
    give_up(errno);  // no descriptor was left for it
    return;
  }
  action.id = ++action_id_;
  action.listener = shared_from_this();
  if (!actions_ || !actions_->add(std::move(action))) give_up(ESHUTDOWN);
}

void SampledEpisode::action_done(uint32_t id, int error_number) {
  {
    const std::lock_guard lock(mutex_);
    requests_.action_result = {id, error_number};
  }
  if (const auto queue = queue_.lock()) queue->post(shared_from_this());
}

void SampledEpisode::acted(ActionResult result, ReadBuffer& buffer) {
  if (phase_ != Phase::kSampling || !enforcing_.active() || result.id != action_id_) return;
  if (enforcing_.again) return;
  const bool unfinished = result.error_number == EAGAIN || result.error_number == ETIMEDOUT;
  if (unfinished && clock_() < enforcing_.limit_ns) {
    enforcing_.again = true;
    enforcing_.error_number = result.error_number;
    enforcing_.look_ns = clock_() + kMs;
    return;
  }
  if (result.error_number != 0) {
    give_up(result.error_number);
    return;
  }
  // The process may not have been moved in: it is the episode's all the same.
  if (enforcing_.action == ExhaustAction::kKill && !enforcing_.outside &&
      episode_->may_live_outside()) {
    enforcing_.outside = true;
    enforcing_.kill = nullptr;
    act();
    return;
  }
  enforcing_.done = true;
  enforcing_.delay_ns = kMs;
  look_at_action(buffer);
}

void SampledEpisode::look_at_action(ReadBuffer& buffer) {
  if (enforcing_.done && episode_->is_enforced(enforcing_.action, buffer)) {
    begin_settling(episode_->ended(buffer), buffer);
    return;
  }
  const uint64_t now = clock_();
  if (now >= enforcing_.limit_ns) {
    give_up(enforcing_.again ? enforcing_.error_number : ETIMEDOUT);
    return;
  }
  if (enforcing_.again) {
    enforcing_.again = false;
    enforcing_.look_ns = enforcing_.limit_ns;
    act();
    return;
  }
  enforcing_.look_ns = now + enforcing_.delay_ns;
  enforcing_.delay_ns = std::min(2 * enforcing_.delay_ns, kLingerMaxNs);
}

/// The next weaker action takes the place of one that failed.
void SampledEpisode::give_up(int error_number) {
  const bool freezes = enforcing_.action == ExhaustAction::kKill && episode_->has_cgroup();
  const FailedAction failed{enforcing_.action, error_number,
                            freezes ? ExhaustAction::kFreeze : ExhaustAction::kStop};
  enforcing_ = {};
  {
    const std::lock_guard lock(mutex_);
    news_.failed_actions.push_back(failed);
  }
  has_news_ = true;
  enforce(failed.next);
}

void SampledEpisode::look_for_end(ReadBuffer& buffer) {
  if (episode_->ended(buffer)) {
    begin_settling(true, buffer);
    return;
  }
  linger_if_root_is_gone();
  // Those that outlive the root for long are left to the frames.
  if (lingering_ && linger_delay_ns_ < kLingerMaxNs) episode_->remember(buffer);
  const uint64_t now = clock_();
  if (!lingering_ || linger_due_ns_ > now) return;
  linger_delay_ns_ = std::min(2 * linger_delay_ns_, kLingerMaxNs);
  linger_due_ns_ = now + linger_delay_ns_;
}

void SampledEpisode::linger_if_root_is_gone() {
  if (lingering_ || episode_->root_alive()) return;
  lingering_ = true;
  linger_delay_ns_ = kLingerFirstNs;
  linger_due_ns_ = clock_() + linger_delay_ns_;
}

void SampledEpisode::begin_settling(bool exited, ReadBuffer& buffer) {
  phase_ = Phase::kSettling;
  enforcing_ = {};
  exited_ = exited;
  settle_begin_ns_ = settle_changed_ns_ = clock_();
  episode_->settle(buffer);
  settle_due_ns_ = clock_() + kSettleIntervalNs;
}

void SampledEpisode::settle(ReadBuffer& buffer) {
  const uint64_t now = clock_();
  if (!episode_->settle(buffer)) settle_changed_ns_ = now;
  settle_due_ns_ = clock_() + kSettleIntervalNs;
  const bool settled = now - settle_changed_ns_ >= kSettleAgreeNs;
  if (settled || settle_due_ns_ > settle_begin_ns_ + kSettleLimitNs) finish(exited_, buffer);
}

/// Takes the terminal frame. Nothing comes after it.
void SampledEpisode::finish(bool exited, ReadBuffer& buffer) {
  phase_ = Phase::kOver;
  note_frame(episode_->sample(flag::kTerminal, buffer));
  for (const uint32_t request : waiting_for_end_) reply(request);
  waiting_for_end_.clear();
  for (const FrameRequest& asked : frames_asked_) reply(asked.request);
  frames_asked_.clear();
  episode_->close();
  {
    const std::lock_guard lock(mutex_);
    news_.ended = true;
    news_.exited = exited;
    over_.store(true, std::memory_order_release);
  }
  has_news_ = true;
}

/// After detach().
void SampledEpisode::close() {
  if (phase_ == Phase::kOver) return;
  phase_ = Phase::kOver;
  episode_->close();
}

/// Another period where the tripwires or the owner want one; tells readers what was missed.
void SampledEpisode::pace() {
  const uint64_t period_ns = episode_->speed_up() ? periods_.fast_ns : periods_.base_ns;
  if (period_ns != pacer_.period_ns()) pacer_.set_period(period_ns, clock_());
  if (pacer_.missed() == missed_stored_) return;
  missed_stored_ = pacer_.missed();
  episode_->store_deadlines_missed(missed_stored_);
}

void SampledEpisode::note_frame(uint32_t outcome) {
  constexpr uint32_t kNoteworthy =
      outcome::kSourceChanged | outcome::kWarning | outcome::kTripped | outcome::kExhausted;
  const bool many = notify_every_ != 0 && ++untold_frames_ >= notify_every_;
  if (!many && (outcome & kNoteworthy) == 0) return;
  if (many) untold_frames_ = 0;
  const Reading& frame = episode_->last_published();
  const std::lock_guard lock(mutex_);
  news_.frames |= many;
  if ((outcome & outcome::kSourceChanged) != 0) {
    news_.sources.push_back({frame.get(word::kSeq), static_cast<uint32_t>(frame.get(word::kMeta))});
    keep_newest(news_.sources, kMaxKeptNews);
  }
  if ((outcome & outcome::kTripped) != 0) {
    episode_->take_trips(news_.trips);
    keep_newest(news_.trips, kMaxKeptNews);
    episode_->take_budget_trips(news_.budget_trips);
    keep_newest(news_.budget_trips, kMaxKeptNews);
  }
  if ((outcome & outcome::kExhausted) != 0) news_.exhausted = episode_->exhaustion();
  if ((outcome & outcome::kWarning) != 0) {
    SampleWarning warnings[kMaxWarnings];
    const uint32_t count = episode_->take_warnings(warnings);
    for (uint32_t i = 0; i < count; i++) add_warning(news_.warnings, warnings[i]);
  }
  has_news_ |= !news_.empty();
}

void SampledEpisode::reply(uint32_t request) {
  const std::lock_guard lock(mutex_);
  news_.replies.push_back({request, episode_->last_published()});
  has_news_ = true;
}

/// Once for all that the owner has not taken yet.
void SampledEpisode::tell() {
  if (!has_news_) return;
  has_news_ = false;
  std::shared_ptr<NewsListener> listener;
  {
    const std::lock_guard lock(mutex_);
    if (told_) return;
    told_ = true;
    listener = listener_;
  }
  if (listener) listener->news(id_);
}

}  // namespace episcope
