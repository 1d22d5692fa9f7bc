// The file of the reviewer log: whole lines, shared with other processes under flock on a companion
// file, rotated once it is full. Knows neither threads nor JavaScript; every call may block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "owned_descriptor.h"
#include "schema.h"

namespace episcope {

struct LogFailure {
  LogFault fault = LogFault::kNone;
  LogFile file = LogFile::kEvents;
  int error_number = 0;

  explicit operator bool() const { return fault != LogFault::kNone; }
};

struct LogLine {
  /// Includes the newline.
  std::string_view text;
  /// The file is rotated before this line is written if it is larger than this.
  uint64_t rotate_bytes = 0;
};

class EventLog {
 public:
  EventLog(std::string path, std::string lock_path);

  /// Waits until it holds the lock of the file that has the lock's name at that time, even if the
  /// file was replaced meanwhile. Creates the file and its parent directories.
  LogFailure lock();
  void unlock();

  /// Requires the lock. Returns how many of the lines, from the first, are on disk, and sets
  /// `failure` if not all are. The rest is removed from the file as far as the kernel allows.
  size_t append(std::span<const LogLine> lines, LogFailure& failure);

  /// Closes the files, which releases the lock.
  void close();

 private:
  LogFailure open_lock();
  LogFailure open_events();
  /// Opens the file that has the name now and makes it end with a whole line; sets `size_`.
  LogFailure make_ready();
  LogFailure repair_end();
  LogFailure cut_end(uint64_t at);
  LogFailure rotate();
  LogFailure sync_events();
  /// Writes lines without rotating.
  size_t write_lines(std::span<const LogLine> lines, LogFailure& failure);
  LogFailure sync_directories() const;

  const std::string path_;
  const std::string rotated_path_;
  const std::string lock_path_;
  OwnedDescriptor events_;
  OwnedDescriptor lock_;
  uint64_t size_ = 0;
  /// The size at which the file is known to end with a whole line.
  uint64_t known_size_ = 0;
};

/// What a line is, judged by its brackets and quotes.
enum class LineShape : uint8_t { kWholeObject, kObjectCutShort, kOther };

LineShape shape_of(std::string_view line);

}  // namespace episcope
