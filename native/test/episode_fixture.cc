#include "episode_fixture.h"

#include <atomic>
#include <fstream>
#include <sstream>

#include "check.h"

namespace episcope::test {
namespace {

uint32_t header_word(TestRing* ring, uint32_t offset) {
  auto* at = reinterpret_cast<uint32_t*>(static_cast<char*>(ring->data()) + offset);
  return std::atomic_ref<uint32_t>(*at).load(std::memory_order_acquire);
}

std::unique_ptr<Episode> bound_episode(TestRing* ring, const Episode::Options& options,
                                       ReadBuffer* buffer) {
  auto episode = std::make_unique<Episode>();
  CHECK(!episode->open(options, *buffer));
  CHECK(episode->bind_ring(ring->data(), ring->size()));
  return episode;
}

}  // namespace

FixtureCgroup::FixtureCgroup() {
  set_cpu_us(0);
  set_rss(4096);
  set_io(0);
  set_populated(true);
}

void FixtureCgroup::set_cpu_us(uint64_t us) const {
  const std::string number = std::to_string(us);
  put("cpu.stat", "usage_usec " + number + "\nuser_usec " + number + "\nsystem_usec 0\n");
}

void FixtureCgroup::set_rss(uint64_t bytes) const {
  const std::string number = std::to_string(bytes);
  put("memory.current", number + "\n");
  put("memory.stat", "anon " + number + "\n");
}

void FixtureCgroup::set_io(uint64_t bytes) const {
  put("io.stat", "8:0 rbytes=" + std::to_string(bytes) + " wbytes=0 rios=0 wios=0\n");
}

void FixtureCgroup::set_events(bool populated, bool frozen) const {
  put("cgroup.events", std::string(populated ? "populated 1\n" : "populated 0\n") +
                           (frozen ? "frozen 1\n" : "frozen 0\n"));
}

std::string FixtureCgroup::get(const char* file) const {
  std::ostringstream text;
  text << std::ifstream(tree_.path(std::string("c/") + file)).rdbuf();
  return text.str();
}

std::unique_ptr<Episode> open_episode(TestRing* ring, const char* cgroup_root,
                                      const char* cgroup_path, bool is_cgroupfs, int pid,
                                      ReadBuffer* buffer) {
  Episode::Options options;
  options.process.pid = pid;
  options.cgroup_root = cgroup_root;
  options.cgroup_path = cgroup_path;
  options.require_cgroupfs = is_cgroupfs;
  return bound_episode(ring, options, buffer);
}

std::unique_ptr<Episode> open_process(TestRing* ring, int pid, ReadBuffer* buffer) {
  Episode::Options options;
  options.process.pid = pid;
  return bound_episode(ring, options, buffer);
}

std::vector<FrameWords> frames_of(TestRing* ring) {
  RingReader reader;
  CHECK(reader.bind(ring->data(), ring->size()));
  std::vector<FrameWords> frames(1024);
  frames.resize(reader.read(frames.data(), frames.size()));
  CHECK(!reader.corrupt());
  return frames;
}

uint32_t head_of(TestRing* ring) { return header_word(ring, header::kHead); }

bool ended(TestRing* ring) { return header_word(ring, header::kState) == ring_state::kEnded; }

uint32_t deadlines_missed(TestRing* ring) { return header_word(ring, header::kDeadlinesMissed); }

bool has_flag(const FrameWords& frame, uint32_t flag) {
  return (frame.words[word::kMeta] & flag) != 0;
}

}  // namespace episcope::test
