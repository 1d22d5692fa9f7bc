#include "parse_proc.h"

#include "parse_flat.h"

namespace episcope {
namespace {

/// Iterates over the fields of one line, each followed by one space. A field that would start at
/// the end of the text is absent.
class Fields {
 public:
  Fields(Text text, size_t begin) : text_(text), next_(begin) {
    const size_t newline = text.find('\n', begin);
    end_of_text_ = newline == Text::npos ? text.size() : newline;
  }

  bool next() {
    if (next_ >= end_of_text_) return false;
    begin_ = next_;
    const size_t space = text_.find(' ', begin_);
    end_ = space == Text::npos || space > end_of_text_ ? end_of_text_ : space;
    next_ = end_ + 1;
    return true;
  }
  bool skip(int count) {
    while (count-- > 0) {
      if (!next()) return false;
    }
    return true;
  }
  size_t begin() const { return begin_; }
  size_t end() const { return end_; }
  ParseError number(uint64_t& value, Figure figure) {
    if (!next()) return parse_error(ParseReason::kMissingField, text_.size());
    return parse_number(text_, begin_, end_, value, figure);
  }

 private:
  Text text_;
  size_t end_of_text_ = 0;
  size_t next_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace

ParseError parse_proc_stat(Text text, ProcStat& out) {
  if (text.empty()) return parse_error(ParseReason::kEmpty, 0);
  const ParseError missing = parse_error(ParseReason::kMissingField, text.size());
  const size_t comm_end = text.rfind(')');
  if (comm_end == Text::npos) return missing;

  ProcStat stat;
  Fields fields(text, comm_end);
  if (!fields.skip(2)) return missing;  // the ')' itself, then field 3
  if (fields.end() - fields.begin() != 1) {
    return parse_error(ParseReason::kMissingField, fields.begin());
  }
  stat.state = text[fields.begin()];

  struct Wanted {
    int unread;  // number of fields skipped before this one
    uint64_t ProcStat::*value;
    Figure figure = Figure::kSigned;
  };
  static constexpr Wanted kWanted[] = {
      {0, &ProcStat::ppid, Figure::kUnsigned},
      {5, &ProcStat::minflt},  // 4, 10
      {0, &ProcStat::cminflt},
      {0, &ProcStat::majflt},  // 11, 12
      {0, &ProcStat::cmajflt},
      {0, &ProcStat::utime_ticks},  // 13, 14
      {0, &ProcStat::stime_ticks},
      {0, &ProcStat::cutime_ticks},  // 15, 16
      {0, &ProcStat::cstime_ticks},
      {2, &ProcStat::num_threads},                         // 17, 20
      {1, &ProcStat::starttime_ticks, Figure::kUnsigned},  // 22
  };
  for (const Wanted& wanted : kWanted) {
    if (!fields.skip(wanted.unread)) return missing;
    if (const ParseError error = fields.number(stat.*wanted.value, wanted.figure)) return error;
  }
  out = stat;
  return {};
}

ParseError parse_proc_statm(Text text, ProcStatm& out) {
  if (text.empty()) return parse_error(ParseReason::kEmpty, 0);
  ProcStatm statm;
  Fields fields(text, 0);
  for (uint64_t* pages : {&statm.size_pages, &statm.resident_pages, &statm.shared_pages}) {
    if (const ParseError error = fields.number(*pages, Figure::kGauge)) return error;
  }
  out = statm;
  return {};
}

ParseError parse_proc_io(Text text, ProcIo& out) {
  static constexpr FlatKey kKeys[] = {
      {"rchar", Presence::kOptional},      {"wchar", Presence::kOptional},
      {"syscr", Presence::kOptional},      {"syscw", Presence::kOptional},
      {"read_bytes", Presence::kRequired}, {"write_bytes", Presence::kRequired}};
  uint64_t values[6];
  uint32_t found = 0;
  if (const ParseError error = parse_flat(text, ": ", kKeys, 6, values, found)) return error;
  std::optional<uint64_t>* const optionals[] = {&out.rchar, &out.wchar, &out.syscr, &out.syscw};
  for (uint32_t index = 0; index < 4; ++index) {
    *optionals[index] =
        (found >> index) & 1 ? std::optional<uint64_t>(values[index]) : std::nullopt;
  }
  out.read_bytes = values[4];
  out.write_bytes = values[5];
  return {};
}

}  // namespace episcope
