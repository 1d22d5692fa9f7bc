// An episode on a cgroup of fixture files and a ring in memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../core/episode.h"
#include "../core/ring_reader.h"
#include "../core/sampled_episode.h"
#include "temp_tree.h"
#include "test_ring.h"

namespace episcope::test {

/// The cgroup's files, each written as its figures are set.
class FixtureCgroup {
 public:
  FixtureCgroup();
  void set_cpu_us(uint64_t us) const;
  void set_rss(uint64_t bytes) const;
  void set_io(uint64_t bytes) const;
  void set_populated(bool populated) const { set_events(populated, false); }
  void set_events(bool populated, bool frozen) const;
  void put(const char* file, const std::string& text) const {
    tree_.write(std::string("c/") + file, text);
  }
  std::string get(const char* file) const;
  void drop(const char* file) const { tree_.remove(std::string("c/") + file); }
  void remove() const { tree_.remove("c"); }
  const std::string& root() const { return tree_.root(); }

 private:
  TempTree tree_;
};

/// Counts what it is told.
class Listener final : public NewsListener {
 public:
  void news(uint32_t) override { told_++; }
  uint32_t told() const { return told_; }

 private:
  std::atomic<uint32_t> told_{0};
};

/// The episode of a cgroup with the root process `pid`, bound to the ring.
std::unique_ptr<Episode> open_episode(TestRing* ring, const char* cgroup_root,
                                      const char* cgroup_path, bool is_cgroupfs, int pid,
                                      ReadBuffer* buffer);

/// The episode of process `pid` without a cgroup.
std::unique_ptr<Episode> open_process(TestRing* ring, int pid, ReadBuffer* buffer);

/// Every frame that the ring still has, of a ring of 1024 at most.
std::vector<FrameWords> frames_of(TestRing* ring);
uint32_t head_of(TestRing* ring);
bool ended(TestRing* ring);
uint32_t deadlines_missed(TestRing* ring);
bool has_flag(const FrameWords& frame, uint32_t flag);

}  // namespace episcope::test
