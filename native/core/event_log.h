// The reviewer log's file: whole lines, shared with other processes under flock on a companion
// file, moved away once it is full. No thread of its own, no JavaScript; every call may block.
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
  /// With its newline.
  std::string_view text;
  /// The file is moved away before this line is written if it has more bytes than that.
  uint64_t rotate_bytes = 0;
};

class EventLog {
 public:
  EventLog(std::string path, std::string lock_path);

  /// Waits for the lock: of the lock file that has the name when it is ours, whatever became of the
  /// name meanwhile. Makes the file, and the directories above it.
  LogFailure lock();
  void unlock();

  /// Only under the lock. How many of the lines, from the first, are on disk when this returns; if
  /// not all, why. Of the others nothing is left in the file, as far as the kernel lets us.
  size_t append(std::span<const LogLine> lines, LogFailure& failure);

  /// Closes the files, and with that unlocks.
  void close();

 private:
  LogFailure open_lock();
  LogFailure open_events();
  /// The file that has the name now, open and ending with a whole line; its size is `size_` then.
  LogFailure make_ready();
  LogFailure repair_end();
  LogFailure cut_end(uint64_t at);
  LogFailure rotate();
  LogFailure sync_events();
  /// Of lines that go into the file as it is.
  size_t write_lines(std::span<const LogLine> lines, LogFailure& failure);
  LogFailure sync_directories() const;

  const std::string path_;
  const std::string rotated_path_;
  const std::string lock_path_;
  OwnedDescriptor events_;
  OwnedDescriptor lock_;
  uint64_t size_ = 0;
  /// Up to here we know how the file ends: we wrote it, or looked.
  uint64_t known_size_ = 0;
};

/// What a line is, as far as its brackets and quotes tell.
enum class LineShape : uint8_t { kWholeObject, kObjectCutShort, kOther };

LineShape shape_of(std::string_view line);

}  // namespace episcope
