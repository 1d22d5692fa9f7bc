// What every parser of kernel text shares: the error, bounded numbers, lines. Nothing here
// allocates or reads outside the text; the text is untrusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "reading.h"

namespace episcope {

using Text = std::string_view;

/// Why a text was refused, and at which byte. False when it was not.
struct ParseError {
  ParseReason reason = ParseReason::kNone;
  uint32_t offset = 0;

  explicit operator bool() const { return reason != ParseReason::kNone; }
};

inline ParseError parse_error(ParseReason reason, size_t offset) {
  return {reason, static_cast<uint32_t>(offset)};
}

inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

/// How the kernel prints a number, and so what may stand there.
enum class Figure {
  kUnsigned,  // digits alone
  kSigned,    // a minus sign may precede them: below zero is 0
  kGauge,     // as kSigned, and 2^63 or more is a number below zero that was printed unsigned
};

/// Bytes [begin, end) as a decimal number of any length, saturating at 2^63 − 1. But for a leading
/// minus sign where the figure may have one they must all be digits, one at least; else the error
/// tells the first byte that is not.
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
  // The kernel's own sum of per-cpu parts went below zero.
  if (figure == Figure::kGauge && beyond && !negative) {
    return parse_error(ParseReason::kGaugeBelowZero, begin);
  }
  value = negative ? 0 : number;
  return {};
}

/// Walks the lines of a text; the last one may lack its newline.
class Lines {
 public:
  explicit Lines(Text text) : text_(text) {}

  /// The next line is [begin(), end()), without the newline.
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

/// Walks the non-empty pieces of [begin, end) between spaces.
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
