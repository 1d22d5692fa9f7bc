// The tripwires' promises: the table is the same that the TypeScript engine runs.
#include "../core/tripwires.h"

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "table.h"

namespace episcope {
namespace {

const std::map<std::string, uint32_t> kMetrics = {
    {"cpuNs", trip_metric::kCpuNs},
    {"ioBytes", trip_metric::kIoBytes},
    {"memRssBytes", trip_metric::kMemRssBytes},
};
const std::map<std::string, uint32_t> kActions = {
    {"none", 0},
    {"speed_up", trip_action::kSpeedUp},
    {"notify", trip_action::kNotify},
    {"exhaust", trip_action::kExhaust},
    {"speed_up+notify", trip_action::kSpeedUp | trip_action::kNotify},
};
const std::map<std::string, uint32_t> kWords = {
    {"cpuNs", word::kCpuNs},
    {"ioReadBytes", word::kIoReadBytes},
    {"ioWriteBytes", word::kIoWriteBytes},
    {"memRssBytes", word::kMemRssBytes},
};

struct Case {
  std::string name;
  std::vector<Tripwire> wires;
  Tripwires tripwires;
  bool changed = false;
  std::vector<Trip> trips;
};

uint32_t number_of(const std::map<std::string, uint32_t>& names, const std::string& name) {
  const auto found = names.find(name);
  return CHECK(found != names.end()) ? found->second : 0;
}

Reading frame_of(std::istringstream* words) {
  Reading frame;
  for (std::string item; *words >> item;) {
    const size_t at = item.find('=');
    if (!CHECK(at != std::string::npos)) continue;
    frame.set(number_of(kWords, item.substr(0, at)), std::stoull(item.substr(at + 1)));
  }
  return frame;
}

std::string told(const std::vector<Trip>& trips) {
  std::string text = "trips";
  for (const Trip& trip : trips) {
    text += ' ' + std::to_string(trip.index) + ':' + std::to_string(trip.value) + ':' +
            std::to_string(trip.seq);
  }
  return text;
}

std::string told(const std::optional<Tripwires::Exhausted>& exhausted) {
  if (!exhausted) return "exhausted none";
  std::string name = "?";
  for (const auto& [metric, number] : kMetrics) {
    if (number == exhausted->metric) name = metric;
  }
  return "exhausted " + name + ':' + std::to_string(exhausted->threshold) + ':' +
         std::to_string(exhausted->value);
}

void run_line(Case* running, const std::string& line, int number) {
  const auto expect = [&](bool held) {
    test::check(held, EPISCOPE_TABLES "/tripwires.txt", number, running->name.c_str());
  };
  std::istringstream words(line);
  std::string verb;
  std::string next;
  words >> verb;
  if (verb == "wire") {
    std::string actions;
    Tripwire wire;
    words >> next >> actions >> wire.threshold >> wire.release;
    expect(!words.fail());
    wire.metric = number_of(kMetrics, next);
    wire.actions = number_of(kActions, actions);
    running->wires.push_back(wire);
  } else if (verb == "set") {
    running->tripwires.set(running->wires);
    running->wires.clear();
  } else if (verb == "frame") {
    uint64_t seq = 0;
    words >> seq;
    expect(!words.fail());
    running->trips.clear();
    running->changed = running->tripwires.look(frame_of(&words), seq, running->trips);
  } else if (verb == "changed") {
    words >> next;
    expect(running->changed == (next == "yes"));
  } else if (verb == "speed_up") {
    words >> next;
    expect(running->tripwires.speed_up() == (next == "yes"));
  } else if (verb == "exhausted") {
    expect(told(running->tripwires.exhausted()) == line);
  } else {
    CHECK(verb == "trips");
    expect(told(running->trips) == line);
  }
}

TEST(tripwires_agree_with_the_shared_table) {
  for (const auto& [name, lines] : test::read_table("tripwires.txt")) {
    Case running;
    running.name = name;
    for (const test::TableLine& line : lines) run_line(&running, line.text, line.number);
  }
}

TEST(tripwires_beyond_the_most_are_none) {
  const std::vector<Tripwire> many(kMaxTripwires + 1,
                                   {trip_metric::kCpuNs, trip_action::kNotify, 1, 1});
  Tripwires tripwires;
  tripwires.set(many);
  Reading frame;
  frame.set(word::kCpuNs, 1);
  std::vector<Trip> trips;
  CHECK(tripwires.look(frame, 0, trips));
  CHECK_EQUAL(trips.size(), kMaxTripwires);
}

}  // namespace
}  // namespace episcope
