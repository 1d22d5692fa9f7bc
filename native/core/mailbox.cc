#include "mailbox.h"

#include <cstddef>
#include <utility>

namespace episcope {
namespace {

template <typename T>
void keep_newest(std::vector<T>& items, size_t max) {
  if (items.size() <= max) return;
  items.erase(items.begin(), items.end() - static_cast<std::ptrdiff_t>(max));
}

void add_warning(std::vector<SampleWarning>& warnings, const SampleWarning& warning) {
  std::erase_if(warnings, [&](const SampleWarning& other) { return same_warning(warning, other); });
  warnings.push_back(warning);
  keep_newest(warnings, kMaxWarnings);
}

}  // namespace

Mailbox::Mailbox(uint32_t id, uint32_t notify_every, std::shared_ptr<NewsListener> listener)
    : id_(id), notify_every_(notify_every), listener_(std::move(listener)) {}

void Mailbox::request_frame(uint32_t request, uint32_t flags) {
  const std::lock_guard lock(mutex_);
  frames_.push_back({request, flags});
}

void Mailbox::request_end() {
  const std::lock_guard lock(mutex_);
  requests_.end = true;
}

void Mailbox::request_tripwires(std::vector<Tripwire> tripwires) {
  const std::lock_guard lock(mutex_);
  requests_.tripwires = std::move(tripwires);
}

void Mailbox::request_periods(Periods periods) {
  const std::lock_guard lock(mutex_);
  requests_.periods = periods;
}

void Mailbox::action_done(ActionResult result) {
  const std::lock_guard lock(mutex_);
  requests_.action_result = result;
}

News Mailbox::take_news(const Reading& last) {
  const std::lock_guard lock(mutex_);
  told_ = false;
  // Requests that came too late for the sampler are answered here: no further news will come.
  if (news_.ended) {
    for (const FrameRequest& late : frames_) news_.replies.push_back({late.request, last});
  }
  return std::exchange(news_, {});
}

void Mailbox::close() {
  std::shared_ptr<NewsListener> released;  // outside the lock
  const std::lock_guard lock(mutex_);
  released = std::move(listener_);
}

// Hot: allocates nothing if nothing was requested.
Requests Mailbox::take_requests() {
  const std::lock_guard lock(mutex_);
  frames_left_.insert(frames_left_.end(), frames_.begin(), frames_.end());
  frames_.clear();
  return std::exchange(requests_, {});
}

std::optional<FrameRequest> Mailbox::next_frame() {
  if (frames_left_.empty()) return std::nullopt;
  const FrameRequest next = frames_left_.front();
  frames_left_.pop_front();
  return next;
}

void Mailbox::reply(uint32_t request, const Reading& frame) {
  const std::lock_guard lock(mutex_);
  news_.replies.push_back({request, frame});
  has_news_ = true;
}

// Hot: a frame without news takes no lock.
void Mailbox::note(uint32_t outcome, DrivenEpisode& episode) {
  constexpr uint32_t kNoteworthy =
      outcome::kSourceChanged | outcome::kWarning | outcome::kTripped | outcome::kExhausted;
  const bool many = notify_every_ != 0 && ++untold_frames_ >= notify_every_;
  if (!many && (outcome & kNoteworthy) == 0) return;
  if (many) untold_frames_ = 0;
  const Reading& frame = episode.last_published();
  const std::lock_guard lock(mutex_);
  news_.frames |= many;
  if ((outcome & outcome::kSourceChanged) != 0) {
    news_.sources.push_back({frame.get(word::kSeq), static_cast<uint32_t>(frame.get(word::kMeta))});
    keep_newest(news_.sources, kMaxKeptNews);
  }
  if ((outcome & outcome::kTripped) != 0) {
    episode.take_trips(news_.trips);
    keep_newest(news_.trips, kMaxKeptNews);
    episode.take_budget_trips(news_.budget_trips);
    keep_newest(news_.budget_trips, kMaxKeptNews);
  }
  if ((outcome & outcome::kExhausted) != 0) news_.exhausted = episode.exhaustion();
  if ((outcome & outcome::kWarning) != 0) {
    SampleWarning warnings[kMaxWarnings];
    const uint32_t count = episode.take_warnings(warnings);
    for (uint32_t i = 0; i < count; i++) add_warning(news_.warnings, warnings[i]);
  }
  has_news_ |= !news_.empty();
}

void Mailbox::note_failed(const FailedAction& failed) {
  const std::lock_guard lock(mutex_);
  news_.failed_actions.push_back(failed);
  has_news_ = true;
}

void Mailbox::end(bool exited, const Reading& terminal) {
  const std::lock_guard lock(mutex_);
  for (const uint32_t request : held_) news_.replies.push_back({request, terminal});
  for (const FrameRequest& left : frames_left_) news_.replies.push_back({left.request, terminal});
  held_.clear();
  frames_left_.clear();
  news_.ended = true;
  news_.exited = exited;
  has_news_ = true;
}

void Mailbox::tell() {
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
