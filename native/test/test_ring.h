// A ring in memory, as createRing() of src/ring/create.ts makes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "../core/schema.h"

namespace episcope::test {

class TestRing {
 public:
  explicit TestRing(uint32_t capacity, uint32_t first = 0, uint32_t slot_bytes = kRingSlotBytes) {
    uint32_t slots = 2;
    while (slots < capacity) slots *= 2;
    size_ = kRingHeaderBytes + size_t{slots} * slot_bytes;
    memory_ = std::make_unique<uint64_t[]>(size_ / sizeof(uint64_t));
    put(header::kMagic, kRingMagic);
    put(header::kVersion, kRingVersion);
    put(header::kHeaderBytes, kRingHeaderBytes);
    put(header::kSlotBytes, slot_bytes);
    put(header::kCapacity, capacity);
    put(header::kSlots, slots);
    put(header::kFirst, first);
    put(header::kHead, first);
    put(header::kPid, 1);
    put(header::kEpisodeIdLength, 1);
    put(header::kEpisodeId, 'e');
  }

  char* at(size_t offset) { return reinterpret_cast<char*>(memory_.get()) + offset; }
  void put(size_t offset, uint32_t value) { std::memcpy(at(offset), &value, sizeof value); }

  void* data() { return memory_.get(); }
  size_t size() const { return size_; }

 private:
  std::unique_ptr<uint64_t[]> memory_;
  size_t size_ = 0;
};

}  // namespace episcope::test
