// Parses arbitrary bytes: the first byte selects the kernel text, the rest is the text. A parser
// must not read outside the text (ASan), and its error must not point outside it.
#include <cstdlib>
#include <cstring>
#include <memory>

#include "../core/parse_pids.h"
#include "../test/parse_any.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint32_t kind = data[0] % (episcope::kKernelTextCount + 1);
  // A copy of exactly this size, so that ASan detects a read of the first byte behind it.
  const size_t text_size = size - 1;
  const std::unique_ptr<char[]> text(new char[text_size]);
  if (text_size > 0) std::memcpy(text.get(), data + 1, text_size);
  if (kind == episcope::kKernelTextCount) {
    std::vector<int> pids;
    episcope::parse_pids(episcope::Text(text.get(), text_size), pids);
    return 0;
  }
  const episcope::ParseOutcome outcome = episcope::parse_text(kind, text.get(), text_size);
  if (outcome.error.offset > text_size) std::abort();
  for (uint32_t i = 0; i < outcome.count; i++) {
    if (outcome.values[i] > episcope::kMaxFrameCount) std::abort();
  }
  return 0;
}
