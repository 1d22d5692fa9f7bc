// The ring: what a writer published a reader gets whole and in order, and is told what it lost.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "../core/reading.h"
#include "../core/ring_reader.h"
#include "../core/ring_writer.h"
#include "../core/schema.h"
#include "check.h"
#include "test_ring.h"

namespace episcope {
namespace {

using test::TestRing;

/// Every word follows from the seq, so that a torn frame is seen.
uint64_t derived(uint64_t seq, uint32_t w) { return (seq + 1) * 0x9E3779B97F4A7C15u + w; }

void fill(Reading* reading, uint64_t seq) {
  for (uint32_t w = word::kSeq + 1; w < kFrameWords; w++) {
    reading->words[w] = derived(seq, w);
  }
}

bool whole(const FrameWords& frame) {
  const uint64_t seq = frame.words[word::kSeq];
  for (uint32_t w = word::kSeq + 1; w < kFrameWords; w++) {
    if (frame.words[w] != derived(seq, w)) return false;
  }
  return true;
}

void publish(RingWriter* writer, uint64_t count) {
  Reading reading;
  for (uint64_t i = 0; i < count; i++) {
    fill(&reading, writer->seq());
    writer->publish(reading);
  }
}

struct Pair {
  RingWriter writer;
  RingReader reader;
  explicit Pair(TestRing* ring) {
    CHECK(writer.bind(ring->data(), ring->size()));
    CHECK(reader.bind(ring->data(), ring->size()));
  }
};

TEST(ring_gives_every_frame_once_in_order) {
  TestRing ring(8);
  Pair pair(&ring);
  FrameWords out[8];
  CHECK_EQUAL(pair.reader.read(out, 8), 0);
  publish(&pair.writer, 5);
  CHECK_EQUAL(pair.reader.read(out, 3), 3);
  CHECK_EQUAL(out[0].words[word::kSeq], 0);
  CHECK(out[2].words[word::kSeq] == 2 && whole(out[2]));
  CHECK_EQUAL(pair.reader.read(out, 8), 2);
  CHECK(out[1].words[word::kSeq] == 4 && whole(out[1]));
  CHECK_EQUAL(pair.reader.read(out, 8), 0);
  CHECK_EQUAL(pair.reader.missed(), 0);
}

// INV-TL01
TEST(ring_tells_a_lapped_reader_what_it_missed) {
  for (const uint32_t capacity : {1u, 2u, 3u, 8u, 100u}) {
    TestRing ring(capacity);
    Pair pair(&ring);
    publish(&pair.writer, 1000);
    std::vector<FrameWords> out(capacity);
    CHECK_EQUAL(pair.reader.read(out.data(), capacity), capacity);
    CHECK_EQUAL(pair.reader.missed(), 1000 - capacity);
    CHECK_EQUAL(out.front().words[word::kSeq], 1000 - capacity);
    CHECK_EQUAL(out.back().words[word::kSeq], 999);
  }
}

// INV-TL01
TEST(ring_survives_the_wrap_of_its_head) {
  TestRing ring(4, UINT32_MAX - 5);
  Pair pair(&ring);
  FrameWords out[4];
  for (uint64_t seq = 0; seq < 20; seq++) {
    publish(&pair.writer, 1);
    CHECK_EQUAL(pair.reader.read(out, 4), 1);
    CHECK(out[0].words[word::kSeq] == seq && whole(out[0]));
    FrameWords newest;
    CHECK(pair.reader.latest(newest));
    CHECK_EQUAL(newest.words[word::kSeq], seq);
  }
  CHECK_EQUAL(pair.reader.missed(), 0);
}

TEST(ring_newest_frame_moves_no_reader) {
  TestRing ring(4);
  Pair pair(&ring);
  FrameWords out[4];
  CHECK(!pair.reader.latest(out[0]));
  publish(&pair.writer, 3);
  CHECK(pair.reader.latest(out[0]));
  CHECK_EQUAL(out[0].words[word::kSeq], 2);
  CHECK_EQUAL(pair.reader.read(out, 4), 3);
  CHECK(!pair.reader.ended());
  pair.writer.end();
  CHECK(pair.reader.ended());
}

TEST(ring_refuses_foreign_memory) {
  struct Lie {
    uint32_t offset;
    uint32_t value;
  };
  const Lie lies[] = {
      {header::kMagic, 0},
      {header::kVersion, 1},
      {header::kVersion, 3},
      {header::kHeaderBytes, 0},
      {header::kSlotBytes, 0},
      {header::kSlotBytes, 128},
      {header::kSlotBytes, 192},
      {header::kSlotBytes, 256 + 8},
      {header::kSlotBytes, 383},
      {header::kSlotBytes, UINT32_MAX},
      {header::kSlotBytes, UINT32_MAX - 63},
      {header::kCapacity, 0},
      {header::kCapacity, 4},
      {header::kCapacity, 9},
      {header::kCapacity, UINT32_MAX},
      {header::kState, 2},
      {header::kHead, 1000},
      {header::kSlots, 0},
      {header::kSlots, 1},
      {header::kSlots, 6},
      {header::kSlots, 16},
      {header::kSlots, 0x80000000},
      {header::kSlots, UINT32_MAX},
      {header::kPid, 0},
      {header::kEpisodeIdLength, 129},
      {header::kEpisodeIdLength, 0},
      {header::kPid, 0x80000000},
  };
  for (const Lie& lie : lies) {
    TestRing ring(8);
    ring.put(lie.offset, lie.value);
    CHECK(!RingWriter().bind(ring.data(), ring.size()));
    CHECK(!RingReader().bind(ring.data(), ring.size()));
  }
  TestRing ring(8);
  CHECK(!RingReader().bind(nullptr, ring.size()));
  CHECK(!RingReader().bind(ring.data(), 0));
  CHECK(!RingReader().bind(ring.data(), kRingHeaderBytes - 1));
  CHECK(!RingReader().bind(ring.data(), ring.size() - 1));
  CHECK(!RingReader().bind(static_cast<char*>(ring.data()) + 4, ring.size() - 4));
}

/// Memory for slots of any size: the size itself is refused, not that the ring does not fit.
TEST(ring_refuses_slot_sizes_that_no_writer_makes) {
  for (const uint32_t slot_bytes : {kRingSlotBytes - 8, kRingSlotBytes + 8, kRingSlotBytes + 32,
                                    kMaxRingSlotBytes - 1, kMaxRingSlotBytes + 64}) {
    TestRing ring(8, 0, kMaxRingSlotBytes + 64);
    ring.put(header::kSlotBytes, slot_bytes);
    CHECK(!RingWriter().bind(ring.data(), ring.size()));
    CHECK(!RingReader().bind(ring.data(), ring.size()));
  }
}

// A later release may have more words in a frame. Its slots are larger, and the words known here
// are at their begin.
TEST(ring_takes_the_size_of_a_slot_from_its_header) {
  for (const uint32_t slot_bytes : {256u, kRingSlotBytes, 448u, kMaxRingSlotBytes}) {
    TestRing ring(4, UINT32_MAX - 2, slot_bytes);
    Pair pair(&ring);
    FrameWords out[4];
    publish(&pair.writer, 7);
    CHECK_EQUAL(pair.reader.read(out, 4), 4);
    CHECK_EQUAL(pair.reader.missed(), 3);
    for (uint64_t i = 0; i < 4; i++) {
      CHECK(out[i].words[word::kSeq] == 3 + i && whole(out[i]));
      const size_t slot = (UINT32_MAX - 2 + 3 + static_cast<uint32_t>(i)) & 3;
      uint32_t stamp;
      std::memcpy(&stamp, ring.at(kRingHeaderBytes + slot * slot_bytes), sizeof stamp);
      CHECK_EQUAL(stamp, stamp_done(UINT32_MAX - 2 + 3 + static_cast<uint32_t>(i)));
    }
    FrameWords newest;
    CHECK(pair.reader.latest(newest));
    CHECK(newest.words[word::kSeq] == 6 && whole(newest));
    TestRing short_of_a_byte(4, 0, slot_bytes);
    CHECK(!RingReader().bind(short_of_a_byte.data(), short_of_a_byte.size() - 1));
  }
}

TEST(ring_words_that_no_metric_uses_are_neither_written_nor_copied) {
  constexpr uint64_t kPattern = 0xA5A5A5A5A5A5A5A5;
  constexpr size_t kFrameBytes = kFrameWords * sizeof(uint64_t);
  for (const uint32_t slot_bytes : {kRingSlotBytes, kMaxRingSlotBytes}) {
    TestRing ring(2, 0, slot_bytes);
    Pair pair(&ring);
    const auto unused = [&ring, slot_bytes](uint32_t slot, size_t byte) {
      return ring.at(kRingHeaderBytes + slot * size_t{slot_bytes} + byte);
    };
    for (const uint32_t slot : {0u, 1u}) {
      std::memset(unused(slot, 0), 0xA5, slot_bytes);
    }
    publish(&pair.writer, 3);
    for (const uint32_t slot : {0u, 1u}) {
      for (size_t byte = kFrameBytes; byte < slot_bytes; byte += sizeof kPattern) {
        CHECK(std::memcmp(unused(slot, byte), &kPattern, sizeof kPattern) == 0);
      }
    }
    std::memset(unused(0, kFrameBytes), 0x11, slot_bytes - kFrameBytes);
    std::memset(unused(1, kFrameBytes), 0x11, slot_bytes - kFrameBytes);
    FrameWords out[3];
    std::memset(out, 0xA5, sizeof out);
    CHECK_EQUAL(pair.reader.read(out, 2), 2);
    CHECK(pair.reader.latest(out[2]));
    for (const FrameWords& frame : out) {
      CHECK(whole(frame));
      for (uint32_t w = kFrameWords; w < kRingSlotWords; w++) {
        CHECK_EQUAL(frame.words[w], kPattern);
      }
    }
  }
}

TEST(ring_head_that_lies_is_found_out) {
  TestRing ring(8);
  ring.put(header::kHead, 1000);
  CHECK(!RingReader().bind(ring.data(), ring.size()));

  TestRing later(8);
  Pair pair(&later);
  publish(&pair.writer, 3);
  later.put(header::kHead, 5000);
  FrameWords out[8];
  CHECK_EQUAL(pair.reader.read(out, 8), 0);
  CHECK(pair.reader.corrupt());
}

// A slot that claims to be overtaken for ever must not keep a reader busy for ever.
TEST(ring_stamp_that_lies_ends_the_read) {
  TestRing ring(8);
  Pair pair(&ring);
  publish(&pair.writer, 8);
  for (uint32_t i = 0; i < 8; i++) {
    ring.put(kRingHeaderBytes + i * kRingSlotBytes, stamp_done(i + 8));
  }
  FrameWords out[8];
  CHECK_EQUAL(pair.reader.read(out, 8), 0);
  CHECK(!pair.reader.latest(out[0]));
  CHECK(pair.reader.corrupt());
}

// Two slots: nearly every read races with the writer. 64: hardly any does.
void race(uint32_t capacity) {
  constexpr uint64_t kFrames = 200'000;
  TestRing ring(capacity);
  RingWriter writer;
  CHECK(writer.bind(ring.data(), ring.size()));

  const auto follow = [&ring] {
    RingReader reader;
    CHECK(reader.bind(ring.data(), ring.size()));
    std::vector<FrameWords> out(16);
    uint64_t returned = 0;
    uint64_t next = 0;
    uint64_t torn = 0;
    uint64_t disordered = 0;
    for (bool last = false; !last;) {
      last = reader.ended();
      size_t count = 0;
      do {
        count = reader.read(out.data(), out.size());
        for (size_t i = 0; i < count; i++) {
          if (!whole(out[i])) torn++;
          if (out[i].words[word::kSeq] < next) disordered++;
          next = out[i].words[word::kSeq] + 1;
        }
        returned += count;
      } while (count > 0);
    }
    CHECK(!reader.corrupt());
    CHECK_EQUAL(torn, 0);
    CHECK_EQUAL(disordered, 0);
    CHECK_EQUAL(returned + reader.missed(), kFrames);
  };
  std::thread one(follow);
  std::thread two(follow);
  publish(&writer, kFrames);
  writer.end();
  one.join();
  two.join();
}

// INV-TL01; run under TSan too.
TEST(ring_readers_in_threads_see_whole_frames_only) {
  race(1);
  race(64);
}

}  // namespace
}  // namespace episcope
