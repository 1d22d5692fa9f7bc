// The budget's promises: the table is the same that TypeScript runs.
#include "../core/budget_watch.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "../core/limits.h"
#include "check.h"
#include "table.h"
#include "test_budget.h"

namespace episcope {
namespace {

using test::TestBudget;

constexpr const char* kNames[resource::kCount] = {"cpuMs",  "ioBytes",   "wallMs",
                                                  "tokens", "toolCalls", "evidenceBytes"};

struct Amount {
  std::string name;
  uint64_t units = 0;
};

struct Case {
  std::string name;
  std::shared_ptr<TestBudget> budget = std::make_shared<TestBudget>();
  BudgetWatch::Settings settings;
  BudgetWatch watch;
  bool changed = false;
  std::vector<BudgetTrip> trips;

  Case() {
    std::fill(std::begin(settings.thresholds), std::end(settings.thresholds), UINT64_MAX);
    std::fill(std::begin(settings.releases), std::end(settings.releases), UINT64_MAX);
  }
};

uint32_t resource_of(const std::string& name) {
  const auto* const found = std::find(std::begin(kNames), std::end(kNames), name);
  return CHECK(found != std::end(kNames)) ? static_cast<uint32_t>(found - kNames) : 0;
}

/// `<name>=<units>` up to the end of the line.
std::vector<Amount> amounts_of(std::istringstream* words) {
  std::vector<Amount> amounts;
  for (std::string item; *words >> item;) {
    const size_t at = item.find('=');
    if (!CHECK(at != std::string::npos)) continue;
    amounts.push_back({item.substr(0, at), std::stoull(item.substr(at + 1))});
  }
  return amounts;
}

BudgetSample sample_of(std::istringstream* words) {
  BudgetSample sample;
  *words >> sample.seq >> sample.ts_ns;
  CHECK(!words->fail());
  for (const auto& [name, units] : amounts_of(words)) {
    CHECK(name == "cpuNs" || name == "ioBytes");
    (name == "cpuNs" ? sample.cpu_ns : sample.io_bytes) = units;
  }
  return sample;
}

std::string told(const BudgetTrip& trip) {
  return std::string(kNames[trip.resource]) + ':' + std::to_string(trip.limit) + ':' +
         std::to_string(trip.consumed) + ':' + std::to_string(trip.seq);
}

std::string told(const std::vector<BudgetTrip>& trips) {
  std::string text = "trips";
  for (const BudgetTrip& trip : trips) text += ' ' + told(trip);
  return text;
}

std::string told(const std::optional<Exhaustion>& exhaustion) {
  if (!exhaustion) return "exhausted none";
  return "exhausted " + told(static_cast<const BudgetTrip&>(*exhaustion)) + ':' +
         std::to_string(exhaustion->ts_ns) + ':' +
         (exhaustion->late_ns ? std::to_string(*exhaustion->late_ns) : "none");
}

bool has_consumed(TestBudget& budget, const std::vector<Amount>& amounts) {
  uint64_t expected[resource::kCount] = {};
  for (const auto& [name, units] : amounts) expected[resource_of(name)] = units;
  const BudgetCounters counters = budget.counters();
  for (uint32_t i = 0; i < resource::kCount; i++) {
    if (counters.consumed(i) != expected[i]) return false;
  }
  return true;
}

void run_line(Case* running, const std::string& line, int number) {
  const auto expect = [&](bool held) {
    test::check(held, EPISCOPE_TABLES "/budget.txt", number, running->name.c_str());
  };
  std::istringstream words(line);
  std::string verb;
  std::string next;
  words >> verb;
  if (verb == "limits") {
    running->budget = std::make_shared<TestBudget>();
    for (const auto& [name, units] : amounts_of(&words)) {
      running->budget->limit(resource_of(name), units);
    }
  } else if (verb == "threshold") {
    words >> next;
    const uint32_t resource = resource_of(next);
    words >> running->settings.thresholds[resource] >> running->settings.releases[resource];
    expect(!words.fail());
  } else if (verb == "watch") {
    words >> next >> running->settings.start_ns;
    expect(!words.fail() && (next == "zero" || next == "now"));
    running->settings.from_zero = next == "zero";
    running->settings.counters = running->budget->counters();
    running->watch = BudgetWatch(running->settings);
  } else if (verb == "charge") {
    for (const auto& [name, units] : amounts_of(&words)) {
      running->budget->counters().add(resource_of(name), units);
    }
  } else if (verb == "refund") {
    for (const auto& [name, units] : amounts_of(&words)) {
      running->budget->refund(resource_of(name), units);
    }
  } else if (verb == "frame") {
    running->trips.clear();
    running->changed = running->watch.look(sample_of(&words), running->trips);
  } else if (verb == "changed") {
    words >> next;
    expect(running->changed == (next == "yes"));
  } else if (verb == "trips") {
    expect(told(running->trips) == line);
  } else if (verb == "tripped") {
    words >> next;
    expect(running->watch.any_tripped() == (next == "yes"));
  } else if (verb == "consumed") {
    expect(has_consumed(*running->budget, amounts_of(&words)));
  } else if (verb == "exhausted") {
    expect(told(running->watch.exhaustion()) == line);
  } else {
    CHECK(verb == "wall_due");
    words >> next;
    expect(running->watch.wall_due_ns() == (next == "none" ? UINT64_MAX : std::stoull(next)));
  }
}

TEST(budget_watch_agrees_with_the_shared_table) {
  for (const auto& [name, lines] : test::read_table("budget.txt")) {
    Case running;
    running.name = name;
    for (const test::TableLine& line : lines) run_line(&running, line.text, line.number);
  }
}

TEST(budget_watch_without_a_budget_does_nothing) {
  BudgetWatch watch;
  std::vector<BudgetTrip> trips;
  CHECK(!watch.look({0, 10, 100, 100}, trips));
  CHECK(trips.empty());
  CHECK(!watch.any_tripped());
  CHECK(!watch.exhaustion());
  CHECK_EQUAL(watch.wall_due_ns(), UINT64_MAX);
}

TEST(budget_counters_are_bound_to_a_budgets_memory_alone) {
  TestBudget budget({{resource::kTokens, 5}});
  BudgetCounters counters;
  CHECK(!counters.bound());
  CHECK(!counters.bind(budget.data(), budget.size() - 1));
  CHECK(!counters.bound());

  alignas(uint64_t) char shifted[sizeof(uint64_t) * (budget_word::kWords + 1)] = {};
  std::memcpy(shifted + 4, budget.data(), budget.size());
  CHECK(!counters.bind(shifted + 4, budget.size()));
  CHECK(!counters.bound());

  for (uint32_t bit = 0; bit < 64; bit++) {
    TestBudget foreign;
    *static_cast<uint64_t*>(foreign.data()) ^= uint64_t{1} << bit;
    CHECK(!counters.bind(foreign.data(), foreign.size()));
    CHECK(!counters.bound());
  }

  CHECK(counters.bind(budget.data(), budget.size()));
  CHECK(counters.bound());
  CHECK(counters.limit(resource::kTokens) == 5u);
  CHECK(!counters.limit(resource::kCpuMs));
  CHECK_EQUAL(counters.consumed(resource::kTokens), 0);
}

TEST(budget_counters_take_what_is_negative_for_nothing) {
  TestBudget budget({{resource::kTokens, UINT64_MAX}});
  static_cast<uint64_t*>(budget.data())[budget_word::kConsumed + resource::kTokens] = UINT64_MAX;
  BudgetCounters counters = budget.counters();
  CHECK(!counters.limit(resource::kTokens));
  CHECK_EQUAL(counters.consumed(resource::kTokens), 0);
  counters.add(resource::kTokens, 3);
  CHECK_EQUAL(counters.consumed(resource::kTokens), 3);
}

TEST(budget_counters_of_many_threads_end_at_the_exact_sum) {
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kAdds = 20'000;
  TestBudget budget;
  std::vector<std::thread> threads;
  for (uint64_t i = 1; i <= kThreads; i++) {
    threads.emplace_back([&budget, i] {
      BudgetCounters counters = budget.counters();
      for (uint64_t k = 0; k < kAdds; k++) counters.add(resource::kToolCalls, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint32_t i = 0; i < resource::kCount; i++) {
    const uint64_t expected = i == resource::kToolCalls ? kAdds * kThreads * (kThreads + 1) / 2 : 0;
    CHECK_EQUAL(budget.counters().consumed(i), expected);
  }
}

TEST(budget_counters_of_many_threads_saturate) {
  TestBudget budget;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&budget] {
      BudgetCounters counters = budget.counters();
      for (int k = 0; k < 1000; k++) counters.add(resource::kIoBytes, kMaxFrameCount / 1000);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQUAL(budget.counters().consumed(resource::kIoBytes), kMaxFrameCount);
  budget.counters().add(resource::kIoBytes, kMaxFrameCount);
  CHECK_EQUAL(budget.counters().consumed(resource::kIoBytes), kMaxFrameCount);
}

}  // namespace
}  // namespace episcope
