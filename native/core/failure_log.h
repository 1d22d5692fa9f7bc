// Reports each failure of a session once, and again only after a sample without it. The twin of
// src/engine/js/failure-log.ts; test/tables/failure-log.txt holds the rules.
#pragma once

#include <cstdint>

#include "reading.h"

namespace episcope {

struct SampleWarning {
  uint32_t part = 0;
  ReadFailure failure;
};

/// Whether both have the same part, code, errno, reason and file.
bool same_warning(const SampleWarning& one, const SampleWarning& other);

class FailureLog {
 public:
  /// Begins a sample. Its failures are new unless the sample before had them.
  void begin();
  void add(uint32_t part, const ReadFailure& failure);
  bool pending() const { return pending_count_ > 0; }
  /// Moves the new failures into `out`, which has room for kMaxWarnings, and returns their number.
  uint32_t take(SampleWarning* out);

 private:
  SampleWarning lists_[2][kMaxWarnings];  // of this sample and the one before
  uint32_t counts_[2] = {};
  uint32_t now_ = 0;
  SampleWarning pending_[kMaxWarnings];
  uint32_t pending_count_ = 0;
};

}  // namespace episcope
