// Which failures of a session are new: each is told once, until what it is about was read again.
// The twin of src/engine/js/failure-log.ts.
#pragma once

#include <cstdint>

#include "reading.h"

namespace episcope {

struct SampleWarning {
  uint32_t part = 0;
  ReadFailure failure;
};

/// The same part, code, errno, reason and file.
bool same_warning(const SampleWarning& one, const SampleWarning& other);

class FailureLog {
 public:
  /// A sample begins: what was added to the last one is what was told.
  void begin();
  void add(uint32_t part, const ReadFailure& failure);
  bool pending() const { return pending_count_ > 0; }
  /// Moves what was not taken yet into `out` (kMaxWarnings places); returns how many.
  uint32_t take(SampleWarning* out);

 private:
  SampleWarning lists_[2][kMaxWarnings];  // of this sample and of the one before
  uint32_t counts_[2] = {};
  uint32_t now_ = 0;
  SampleWarning pending_[kMaxWarnings];
  uint32_t pending_count_ = 0;
};

}  // namespace episcope
