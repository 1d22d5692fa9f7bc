// Shared by the parsers of kernel text: errors, bounded numbers, lines. The text is untrusted.
// Nothing here allocates or reads outside the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "reading.h"

namespace episcope {

using Text = std::string_view;

/// Why a text was refused, and at which byte. Converts to false if it was not.
struct ParseError {
  ParseReason reason = ParseReason::kNone;
  uint32_t offset = 0;

  explicit operator bool() const { return reason != ParseReason::kNone; }
};

inline ParseError parse_error(ParseReason reason, size_t offset) {
  return {reason, static_cast<uint32_t>(offset)};
}

inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

/// How the kernel prints a number, which determines what is accepted.
enum class Figure {
  kUnsigned,  // only digits
  kSigned,    // an optional minus sign; negative values are read as 0
  kGauge,     // like kSigned, and 2^63 or more is a negative number that was printed unsigned
};

/// Parses bytes [begin, end) as a decimal number of any length, saturating at 2^63 − 1. Except for
/// a leading minus sign, if the figure allows one, there must be at least one digit and nothing
/// else; the error has the offset of the first other byte.
inline ParseError parse_number(Text text, size_t begin, size_t end, uint64_t& value,
                               Figure figure = Figure::kUnsigned) {
  const bool negative = figure != Figure::kUnsigned && begin < end && text[begin] == '-';
  const size_t digits = begin + (negative ? 1 : 0);
  uint64_t number = 0;
  bool beyond = false;
  size_t at = digits;
  for (; at < end && is_digit(text[at]); ++at) {
    const auto digit = static_cast<uint64_t>(text[at] - '0');
    beyond = beyond || number > (kMaxFrameCount - digit) / 10;
    number = saturating_add(saturating_mul(number, 10), digit);
  }
  if (at == digits || at < end) return parse_error(ParseReason::kMalformedNumber, at);
  // The sum of the kernel's per-cpu counters was negative.
  if (figure == Figure::kGauge && beyond && !negative) {
    return parse_error(ParseReason::kGaugeBelowZero, begin);
  }
  value = negative ? 0 : number;
  return {};
}

/// Iterates over the lines of a text. The last line may lack its newline.
class Lines {
 public:
  explicit Lines(Text text) : text_(text) {}

  /// Moves to the next line, [begin(), end()) without the newline. Returns false at the end.
  bool next() {
    if (next_ >= text_.size()) return false;
    begin_ = next_;
    const size_t newline = text_.find('\n', begin_);
    end_ = newline == Text::npos ? text_.size() : newline;
    next_ = end_ + 1;
    return true;
  }
  size_t begin() const { return begin_; }
  size_t end() const { return end_; }
  Text line() const { return text_.substr(begin_, end_ - begin_); }

 private:
  Text text_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t next_ = 0;
};

/// Iterates over the non-empty tokens of [begin, end), which are separated by spaces.
class Tokens {
 public:
  Tokens(Text text, size_t begin, size_t end) : text_(text), end_of_line_(end), next_(begin) {}

  bool next() {
    while (next_ < end_of_line_ && text_[next_] == ' ') ++next_;
    if (next_ >= end_of_line_) return false;
    begin_ = next_;
    while (next_ < end_of_line_ && text_[next_] != ' ') ++next_;
    end_ = next_;
    return true;
  }
  size_t begin() const { return begin_; }
  size_t end() const { return end_; }
  Text token() const { return text_.substr(begin_, end_ - begin_); }

 private:
  Text text_;
  size_t end_of_line_;
  size_t next_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace episcope
