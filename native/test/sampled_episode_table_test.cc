// The promises of the sampled episode's state machine: the table is the same that the TypeScript
// engine runs.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../core/sampled_episode.h"
#include "check.h"
#include "scripted_episode.h"
#include "table.h"

namespace episcope {
namespace {

using Words = std::vector<std::string>;

uint64_t clock_ns = 0;
uint64_t clock_now() { return clock_ns; }

uint64_t ns_of(const std::string& ms) {
  return static_cast<uint64_t>(std::llround(std::stod(ms) * 1e6));
}

std::string ms_of(uint64_t ns) {
  std::ostringstream text;
  text.precision(15);
  text << static_cast<double>(ns) / 1e6;
  return text.str();
}

Words ms_of_all(const std::vector<uint64_t>& times_ns) {
  Words all;
  for (const uint64_t ns : times_ns) all.push_back(ms_of(ns));
  return all;
}

const std::pair<const char*, int> kErrnos[] = {
    {"none", 0},        {"EPERM", EPERM},         {"EACCES", EACCES},
    {"EAGAIN", EAGAIN}, {"ETIMEDOUT", ETIMEDOUT}, {"ok", 0},
};

std::string errno_name(int error_number) {
  for (const auto& [name, number] : kErrnos) {
    if (number == error_number) return name;
  }
  return std::to_string(error_number);
}

int errno_of(const std::string& text) {
  for (const auto& [name, number] : kErrnos) {
    if (text == name) return number;
  }
  CHECK(false);
  return -1;
}

const char* const kActions[] = {"stop", "freeze", "kill"};

std::string name_of(ExhaustAction action) { return kActions[static_cast<uint32_t>(action)]; }

std::string flag_name(uint32_t flags) {
  if ((flags & flag::kInitial) != 0) return "initial";
  return (flags & flag::kTerminal) != 0 ? "terminal" : "-";
}

Words split(const std::string& text, char by) {
  Words words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, by);) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

/// What was appended to `list` since the last call with this `seen`.
template <typename T>
std::vector<T> since(size_t& seen, const std::vector<T>& list) {
  const std::vector<T> news(list.begin() + static_cast<std::ptrdiff_t>(seen), list.end());
  seen = list.size();
  return news;
}

class Player {
 public:
  Player() {
    clock_ns = 0;
    script_.now_ns = &clock_ns;
    script_.exhaustion.emplace();
  }

  /// Does a line; false for one that is an expectation.
  bool act(const std::string& verb, const Words& args) {
    if (verb == "set") {
      for (const std::string& fact : args) set(fact);
    } else if (verb == "start") {
      open(args.at(0), false);
      wake();
    } else if (verb == "drive") {
      open(args.at(0), true);
    } else if (verb == "sample") {
      episode_->sample(0, *buffer_);
    } else if (verb == "publish") {
      const uint64_t words[kFrameWords] = {};
      episode_->publish(words, 0);
    } else if (verb == "run") {
      run(ns_of(args.at(0)));
    } else if (verb == "wake") {
      clock_ns = ns_of(args.at(0));
      wake();
    } else if (verb == "hint") {
      episode_->exit_hint(*buffer_);
    } else if (verb == "request") {
      for (const std::string& what : args) request(split(what, ':'));
      wake();
    } else if (verb == "answer") {
      episode_->action_done(static_cast<uint32_t>(std::stoul(args.at(0))), errno_of(args.at(1)));
      wake();
    } else {
      return false;
    }
    return true;
  }

  Words expected(const std::string& what) {
    take_news();
    Words got;
    if (what == "frames") {
      for (const uint32_t flags : script_.frames) got.push_back(flag_name(flags));
    } else if (what == "wakes") {
      got.push_back(wakes());
    } else if (what == "missed") {
      got.push_back(std::to_string(script_.missed));
    } else if (what == "looked") {
      got = ms_of_all(since(looked_, script_.looked_ns));
    } else if (what == "remembered") {
      got = ms_of_all(since(remembered_, script_.remembered_ns));
    } else if (what == "settled") {
      got = ms_of_all(since(settled_, script_.settled_ns));
    } else if (what == "acted") {
      for (const auto& [action, outside] : since(acted_, script_.acted)) {
        got.push_back(name_of(action) + (outside ? ":outside" : ""));
      }
    } else if (what == "failed") {
      got = std::exchange(failed_, {});
    } else if (what == "replies") {
      got = std::exchange(replies_, {});
    } else if (what == "exhausted") {
      got.push_back(std::exchange(exhausted_, false) ? "yes" : "no");
    } else {
      CHECK(what == "end");
      got.push_back(end_);
    }
    return got;
  }

 private:
  void open(const std::string& action, bool by_hand) {
    Sampling sampling;
    sampling.by_hand = by_hand;
    sampling.period_ns = ns_of("100");
    sampling.fast_period_ns = ns_of("25");
    while (action != name_of(sampling.on_exhausted)) {
      sampling.on_exhausted =
          static_cast<ExhaustAction>(static_cast<uint32_t>(sampling.on_exhausted) + 1);
    }
    sampling.actions = actuator_.queue();
    episode_ =
        std::make_shared<SampledEpisode>(std::make_unique<test::ScriptedEpisode>(&script_),
                                         std::move(sampling), 0, 1, nullptr, *buffer_, clock_now);
  }

  void wake() { episode_->wake(clock_ns, *buffer_); }

  void run(uint64_t until_ns) {
    while (!episode_->over() && episode_->wake_ns() <= until_ns) {
      clock_ns = std::max(clock_ns, episode_->wake_ns());
      wake();
    }
    clock_ns = std::max(clock_ns, until_ns);
  }

  void request(const Words& what) {
    if (what[0] == "frame") {
      episode_->request_frame(static_cast<uint32_t>(std::stoul(what.at(1))), 0);
    } else if (what[0] == "end") {
      episode_->request_end();
    } else {
      CHECK(what[0] == "period");
      episode_->request_period(ns_of(what.at(1)), ns_of(what.at(2)));
    }
  }

  void set(const std::string& text) {
    const Words fact = split(text, '=');
    const std::string& name = fact.at(0);
    const std::string& value = fact.at(1);
    const bool yes = value == "yes";
    if (name == "root") {
      script_.root_gone = value == "gone";
    } else if (name == "ended") {
      script_.ended = yes;
    } else if (name == "cgroup") {
      script_.has_cgroup = yes;
    } else if (name == "outside") {
      script_.lives_outside = yes;
    } else if (name == "enforced") {
      script_.enforced = yes;
    } else if (name == "counters") {
      script_.counters_move = value == "moving";
    } else if (name == "speedup") {
      script_.speed_up = yes;
    } else if (name == "wall") {
      script_.wall_due_ns = ns_of(value);
    } else if (name == "exhausts") {
      script_.outcome = yes ? outcome::kExhausted : 0;
    } else {
      CHECK(name == "cost");
      script_.cost_ns = ns_of(value);
    }
  }

  void take_news() {
    const News news = episode_->take_news();
    for (const auto& [action, error_number, next] : news.failed_actions) {
      failed_.push_back(name_of(action) + ":" + errno_name(error_number) + ":" + name_of(next));
    }
    for (const News::Reply& reply : news.replies) {
      replies_.push_back(std::to_string(reply.request) + ":" +
                         std::to_string(reply.frame.get(word::kSeq)));
    }
    exhausted_ |= news.exhausted.has_value();
    if (news.ended) end_ = news.exited ? "exited" : "stopped";
  }

  std::string wakes() const {
    if (episode_->over() || episode_->wake_ns() == UINT64_MAX) return "never";
    return episode_->wake_ns() <= clock_ns ? "at_once" : ms_of(episode_->wake_ns());
  }

  Actuator actuator_;  // never started
  test::Script script_;
  const std::unique_ptr<ReadBuffer> buffer_ = std::make_unique<ReadBuffer>();
  std::shared_ptr<SampledEpisode> episode_;

  // What was told, or looked at so far.
  Words failed_;
  Words replies_;
  bool exhausted_ = false;
  std::string end_ = "no";
  size_t looked_ = 0;
  size_t remembered_ = 0;
  size_t settled_ = 0;
  size_t acted_ = 0;
};

std::string joined(const Words& words) {
  std::string all;
  for (const std::string& word : words) all += " " + word;
  return all;
}

TEST(sampled_episode_agrees_with_the_shared_table) {
  for (const test::TableCase& one : test::read_table("sampled-episode.txt")) {
    Player player;
    for (const test::TableLine& line : one.lines) {
      Words args = split(line.text, ' ');
      const std::string verb = args[0];
      args.erase(args.begin());
      if (player.act(verb, args)) continue;
      const Words got = player.expected(verb);
      if (got != args) {
        test::fail_line("sampled-episode.txt", one, line, line.text + " | got" + joined(got));
      }
    }
  }
}

}  // namespace
}  // namespace episcope
