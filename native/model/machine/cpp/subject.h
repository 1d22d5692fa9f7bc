// One build of the ring's headers, real or mutated, behind one interface.
#pragma once

#include <cstddef>
#include <cstdint>

namespace episcope_machine {

struct Subject {
  virtual ~Subject() = default;
  /// Publishes frames whose words follow from their seq (`derived` of promises.mjs), and ends the
  /// ring.
  virtual bool publish(void* memory, size_t size, uint32_t frames) = 0;

  /// Creates a new reader, which the methods below use. Returns false if it refuses the memory.
  virtual bool bind(void* memory, size_t size) = 0;
  /// Copies at most `max` frames and returns their number.
  virtual size_t read(uint32_t* out, size_t max) = 0;
  virtual bool latest(uint32_t* out) = 0;
  virtual uint64_t missed() const = 0;
  virtual bool corrupt() const = 0;
  virtual bool ended() const = 0;
};

/// Registers a subject with the addon under its name.
struct Registered {
  Registered(const char* name, Subject* subject);
};

}  // namespace episcope_machine
