// The promises of a frame: the table is the same that TypeScript runs.
#include "../core/frame_state.h"

#include <map>
#include <sstream>
#include <string>

#include "check.h"
#include "table.h"

namespace episcope {
namespace {

constexpr uint32_t kHoldIfEnded = 0x100;

const std::map<std::string, uint32_t> kWords = {
    {"cpuNs", word::kCpuNs},
    {"cpuUserNs", word::kCpuUserNs},
    {"cpuSystemNs", word::kCpuSystemNs},
    {"memRssBytes", word::kMemRssBytes},
    {"memPeakBytes", word::kMemPeakBytes},
    {"ioReadBytes", word::kIoReadBytes},
    {"ioWriteBytes", word::kIoWriteBytes},
    {"memCurrentBytes", word::kMemCurrentBytes},
    {"pageFaultsMajor", word::kPageFaultsMajor},
    {"pageFaultsMinor", word::kPageFaultsMinor},
    {"ioReadOps", word::kIoReadOps},
    {"cpuThrottledNs", word::kCpuThrottledNs},
    {"cpuNrThrottled", word::kCpuNrThrottled},
    {"oomKills", word::kOomKills},
    {"pids", word::kPids},
    {"pressureCpuSomeNs", word::kPressureCpuSomeNs},
    {"pressureIoFullNs", word::kPressureIoFullNs},
    {"collectNs", word::kCollectNs},
};

struct Named {
  const char* name;
  uint32_t value;
};
constexpr Named kFlags[] = {{"high_frequency", flag::kHighFrequency},
                            {"promoted", flag::kPromoted},
                            {"degraded", flag::kDegraded},
                            {"initial", flag::kInitial},
                            {"terminal", flag::kTerminal},
                            {"hold_if_ended", kHoldIfEnded}};
constexpr Named kParts[] = {{"cpu", 0}, {"memory", 1}, {"io", 2}};
constexpr Named kSources[] = {{"cgroup", source::kCgroup}, {"proc", source::kProc}};
constexpr Named kQualities[] = {{"lower_bound", quality::kLowerBound},
                                {"stale", quality::kStale},
                                {"rebased", quality::kRebased},
                                {"final", quality::kFinal}};

template <size_t kSize>
const uint32_t* value_of(const Named (&names)[kSize], const std::string& name) {
  for (const Named& named : names) {
    if (name == named.name) return &named.value;
  }
  return nullptr;
}

class Replay {
 public:
  std::string play(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "frame") return frame(&words);
    if (verb == "meta") return test::difference(line, "meta" + meta());
    if (verb == "words") return test::difference(line, "words" + values());
    if (verb == "ts") {
      return test::difference(line, "ts " + std::to_string(reading_.get(word::kTsMono)));
    }
    if (verb == "changed") {
      return test::difference(line, std::string("changed ") + test::yes_or_no(changed_));
    }
    return "unknown line: " + line;
  }

 private:
  std::string frame(std::istringstream* items) {
    reading_ = {};
    PartOrigin origin;
    uint32_t flags = 0;
    uint64_t ts = 0;
    *items >> ts;
    reading_.set(word::kTsMono, ts);
    for (std::string item; *items >> item;) {
      const size_t at = item.find('=');
      const std::string name = item.substr(0, at);
      const std::string value = at == std::string::npos ? "" : item.substr(at + 1);
      if (const uint32_t* flag = value_of(kFlags, name)) {
        flags |= *flag;
      } else if (const uint32_t* part = value_of(kParts, name)) {
        std::istringstream names(value);
        for (std::string one; std::getline(names, one, '+');) {
          if (const uint32_t* source = value_of(kSources, one)) origin.source[*part] = *source;
          if (const uint32_t* bit = value_of(kQualities, one)) origin.quality[*part] |= *bit;
        }
      } else if (const auto word = kWords.find(name); word != kWords.end()) {
        reading_.set(word->second, std::stoull(value));
      } else {
        return "unknown item: " + item;
      }
    }
    changed_ = state_.apply(reading_, origin, flags);
    return "";
  }

  std::string meta() const {
    const uint64_t bits = reading_.get(word::kMeta);
    std::string text;
    for (const Named& flag : kFlags) {
      if ((bits & flag.value) != 0 && flag.value != kHoldIfEnded)
        text += std::string(" ") + flag.name;
    }
    for (const Named& part : kParts) {
      std::string origin;
      for (const Named& source : kSources) {
        if ((bits >> (meta_shift::kSourceCpu + 2 * part.value) & 3) == source.value) {
          origin = source.name;
        }
      }
      for (const Named& bit : kQualities) {
        if ((bits >> (meta_shift::kQualityCpu + 4 * part.value) & bit.value) != 0) {
          origin += std::string("+") + bit.name;
        }
      }
      if (!origin.empty()) text += std::string(" ") + part.name + "=" + origin;
    }
    return text;
  }

  std::string values() const {
    std::map<uint32_t, std::string> names;
    for (const auto& [name, w] : kWords) names[w] = name;
    std::string text;
    for (uint32_t w = 0; w < kFrameWords; w++) {
      if (w == word::kTsMono || w == word::kMeta || !reading_.has(w)) continue;
      text += " " + (names.count(w) > 0 ? names[w] : "word" + std::to_string(w)) + "=" +
              std::to_string(reading_.get(w));
    }
    return text;
  }

  FrameState state_;
  Reading reading_;
  bool changed_ = false;
};

TEST(frame_state_agrees_with_the_shared_table) { test::run_table<Replay>("frame-state.txt"); }

// Only this engine learns from the kernel how a process ended.
class Raised {
 public:
  Reading next(uint64_t cpu_ns, uint32_t memory_source, uint64_t peak) {
    Reading reading;
    PartOrigin origin;
    origin.source[0] = source::kCgroup;
    origin.source[1] = memory_source;
    reading.set(word::kCpuNs, cpu_ns);
    reading.set(word::kMemPeakBytes, peak);
    (void)state.apply(reading, origin, 0);
    return reading;
  }
  FrameState state;
};

TEST(frame_state_raises_what_was_published_and_never_lowers_it) {
  Raised episode;
  episode.state.raise(word::kCpuNs, 50);
  CHECK_EQUAL(episode.next(10, source::kCgroup, 0).get(word::kCpuNs), 10);
  episode.state.raise(word::kCpuNs, 30);
  CHECK_EQUAL(episode.next(20, source::kCgroup, 0).get(word::kCpuNs), 30);
  episode.state.raise(word::kCpuNs, 5);
  CHECK_EQUAL(episode.next(20, source::kCgroup, 0).get(word::kCpuNs), 30);
}

TEST(frame_state_raises_the_peak_only_where_proc_tells_it) {
  Raised episode;
  (void)episode.next(1, source::kProc, 100);
  episode.state.raise_peak_of_processes(400);
  CHECK_EQUAL(episode.next(1, source::kProc, 100).get(word::kMemPeakBytes), 400);
  (void)episode.next(1, source::kCgroup, 500);
  episode.state.raise_peak_of_processes(900);
  CHECK_EQUAL(episode.next(1, source::kCgroup, 500).get(word::kMemPeakBytes), 500);
}

}  // namespace
}  // namespace episcope
