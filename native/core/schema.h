// Generated from schema/ by `npm run schema`: do not edit. What both languages share;
// src/schema/ is the other half.
#pragma once

#include <cstdint>

namespace episcope {

inline constexpr uint32_t kRingMagic = 0x43535045;
inline constexpr uint32_t kRingVersion = 2;
inline constexpr uint32_t kRingHeaderBytes = 256;
inline constexpr uint32_t kRingSlotBytes = 384;

/// Number of words of a frame. A slot can have room for more words, which are neither written nor
/// read.
inline constexpr uint32_t kFrameWords = 27;

/// Number of words of a slot as this release writes it, and the maximum slot size that a reader
/// accepts.
inline constexpr uint32_t kRingSlotWords = 48;
inline constexpr uint32_t kMaxRingSlotBytes = 4096;

/// Byte offsets in the header.
namespace header {
inline constexpr uint32_t kMagic = 0;
inline constexpr uint32_t kVersion = 4;
inline constexpr uint32_t kHeaderBytes = 8;
inline constexpr uint32_t kSlotBytes = 12;
inline constexpr uint32_t kCapacity = 16;
inline constexpr uint32_t kSlots = 20;
inline constexpr uint32_t kFirst = 24;
inline constexpr uint32_t kPid = 28;
inline constexpr uint32_t kStartMonoNs = 32;
inline constexpr uint32_t kEpisodeIdLength = 40;
inline constexpr uint32_t kSamplePeriodMs = 44;
inline constexpr uint32_t kEpisodeId = 48;
inline constexpr uint32_t kWriter = 176;
inline constexpr uint32_t kHead = 192;
inline constexpr uint32_t kState = 196;
inline constexpr uint32_t kDeadlinesMissed = 200;
}  // namespace header

/// Values of `RingHeader.STATE`.
namespace ring_state {
inline constexpr uint32_t kOpen = 0;
inline constexpr uint32_t kEnded = 1;
}  // namespace ring_state

/// Values of `RingHeader.WRITER`. A native writer can wake a reader that has the addon.
namespace ring_writer_kind {
inline constexpr uint32_t kJs = 0;
inline constexpr uint32_t kNative = 1;
}  // namespace ring_writer_kind

/// Bits 0–4 of the word `META`.
namespace flag {
inline constexpr uint32_t kHighFrequency = 1;
inline constexpr uint32_t kPromoted = 2;
inline constexpr uint32_t kDegraded = 4;
inline constexpr uint32_t kInitial = 8;
inline constexpr uint32_t kTerminal = 16;
}  // namespace flag

/// Positions of the sources (two bits per part) and the qualities (four bits per part) in the word
/// `META`.
namespace meta_shift {
inline constexpr uint32_t kSourceCpu = 8;
inline constexpr uint32_t kSourceMemory = 10;
inline constexpr uint32_t kSourceIo = 12;
inline constexpr uint32_t kQualityCpu = 16;
inline constexpr uint32_t kQualityMemory = 20;
inline constexpr uint32_t kQualityIo = 24;
}  // namespace meta_shift

/// Source of the figures of a part.
namespace source {
inline constexpr uint32_t kUnavailable = 0;
inline constexpr uint32_t kCgroup = 1;
inline constexpr uint32_t kProc = 2;
}  // namespace source

/// Quality of the figures of a part.
namespace quality {
inline constexpr uint32_t kLowerBound = 1;
inline constexpr uint32_t kStale = 2;
inline constexpr uint32_t kRebased = 4;
inline constexpr uint32_t kFinal = 8;
}  // namespace quality

/// Words of a slot. Bit w of the word kValid is set if word w holds a value; the word of an absent
/// metric is 0.
namespace word {
inline constexpr uint32_t kStamp = 0;
inline constexpr uint32_t kSeq = 1;
inline constexpr uint32_t kTsMono = 2;
inline constexpr uint32_t kValid = 3;
inline constexpr uint32_t kMeta = 4;
inline constexpr uint32_t kCpuNs = 5;
inline constexpr uint32_t kCpuUserNs = 6;
inline constexpr uint32_t kCpuSystemNs = 7;
inline constexpr uint32_t kMemRssBytes = 8;
inline constexpr uint32_t kMemPeakBytes = 9;
inline constexpr uint32_t kIoReadBytes = 10;
inline constexpr uint32_t kIoWriteBytes = 11;
inline constexpr uint32_t kMemCurrentBytes = 12;
inline constexpr uint32_t kPageFaultsMajor = 13;
inline constexpr uint32_t kPageFaultsMinor = 14;
inline constexpr uint32_t kIoReadOps = 15;
inline constexpr uint32_t kIoWriteOps = 16;
inline constexpr uint32_t kCpuThrottledNs = 17;
inline constexpr uint32_t kCpuNrThrottled = 18;
inline constexpr uint32_t kOomKills = 19;
inline constexpr uint32_t kPids = 20;
inline constexpr uint32_t kPressureCpuSomeNs = 21;
inline constexpr uint32_t kPressureMemorySomeNs = 22;
inline constexpr uint32_t kPressureMemoryFullNs = 23;
inline constexpr uint32_t kPressureIoSomeNs = 24;
inline constexpr uint32_t kPressureIoFullNs = 25;
inline constexpr uint32_t kCollectNs = 26;
}  // namespace word

/// The parts of a reading, as bits. A read takes the set of requested parts and returns the set of
/// available ones.
namespace part {
/// cpu time
inline constexpr uint32_t kCpu = 1;
/// memory and page faults
inline constexpr uint32_t kMemory = 2;
/// storage io
inline constexpr uint32_t kIo = 4;
/// oom kills, tasks, pressure; an absent value is not a failure
inline constexpr uint32_t kExtra = 8;
inline constexpr uint32_t kAll = 15;
inline constexpr uint32_t kCount = 4;

/// Indices of the parts.
inline constexpr uint32_t kCpuIndex = 0;
inline constexpr uint32_t kMemoryIndex = 1;
inline constexpr uint32_t kIoIndex = 2;
inline constexpr uint32_t kExtraIndex = 3;

constexpr uint64_t bit(uint32_t w) { return uint64_t{1} << w; }

/// The words of each part, by index, as bits of word::kValid.
inline constexpr uint64_t kWords[kCount] = {
    bit(word::kCpuNs) |
        bit(word::kCpuUserNs) |
        bit(word::kCpuSystemNs) |
        bit(word::kCpuThrottledNs) |
        bit(word::kCpuNrThrottled),
    bit(word::kMemRssBytes) |
        bit(word::kMemPeakBytes) |
        bit(word::kMemCurrentBytes) |
        bit(word::kPageFaultsMajor) |
        bit(word::kPageFaultsMinor),
    bit(word::kIoReadBytes) |
        bit(word::kIoWriteBytes) |
        bit(word::kIoReadOps) |
        bit(word::kIoWriteOps),
    bit(word::kOomKills) |
        bit(word::kPids) |
        bit(word::kPressureCpuSomeNs) |
        bit(word::kPressureMemorySomeNs) |
        bit(word::kPressureMemoryFullNs) |
        bit(word::kPressureIoSomeNs) |
        bit(word::kPressureIoFullNs),
};
/// The words of each part that never decrease.
inline constexpr uint64_t kCounters[kCount] = {
    bit(word::kCpuNs) |
        bit(word::kCpuUserNs) |
        bit(word::kCpuSystemNs) |
        bit(word::kCpuThrottledNs) |
        bit(word::kCpuNrThrottled),
    bit(word::kPageFaultsMajor) |
        bit(word::kPageFaultsMinor),
    bit(word::kIoReadBytes) |
        bit(word::kIoWriteBytes) |
        bit(word::kIoReadOps) |
        bit(word::kIoWriteOps),
    bit(word::kOomKills) |
        bit(word::kPressureCpuSomeNs) |
        bit(word::kPressureMemorySomeNs) |
        bit(word::kPressureMemoryFullNs) |
        bit(word::kPressureIoSomeNs) |
        bit(word::kPressureIoFullNs),
};
/// The words of each part that /proc provides too.
inline constexpr uint64_t kProcWords[kCount] = {
    bit(word::kCpuNs) |
        bit(word::kCpuUserNs) |
        bit(word::kCpuSystemNs),
    bit(word::kMemRssBytes) |
        bit(word::kMemPeakBytes) |
        bit(word::kPageFaultsMajor) |
        bit(word::kPageFaultsMinor),
    bit(word::kIoReadBytes) |
        bit(word::kIoWriteBytes),
    bit(word::kPids),
};
}  // namespace part

/// How an episode is measured: by the best tier available, by its cgroup, by its bare leaf (cpu
/// from the cgroup, the rest from /proc), or by its process tree.
enum class Tier : uint32_t {
  kAuto = 0,
  kCgroup = 1,
  kLeaf = 2,
  kProc = 3,
};
inline constexpr const char* kTierNames[] = {
    "auto",
    "cgroup",
    "leaf",
    "proc",
};

/// What to do when a limit is reached, weakest action first.
enum class ExhaustAction : uint32_t {
  kStop = 0,
  kFreeze = 1,
  kKill = 2,
};
inline constexpr const char* kExhaustActionNames[] = {
    "stop",
    "freeze",
    "kill",
};

/// The resources that a budget limits. Times are counted in ns, sizes in bytes.
namespace resource {
inline constexpr uint32_t kCpuMs = 0;
inline constexpr uint32_t kIoBytes = 1;
inline constexpr uint32_t kWallMs = 2;
inline constexpr uint32_t kTokens = 3;
inline constexpr uint32_t kToolCalls = 4;
inline constexpr uint32_t kEvidenceBytes = 5;
inline constexpr uint32_t kCount = 6;
inline constexpr const char* kNames[] = {
    "cpuMs",
    "ioBytes",
    "wallMs",
    "tokens",
    "toolCalls",
    "evidenceBytes",
};
}  // namespace resource

/// The metrics that a tripwire can watch; `ioBytes` is the sum of read and written bytes.
namespace trip_metric {
inline constexpr uint32_t kCpuNs = 0;
inline constexpr uint32_t kIoBytes = 1;
inline constexpr uint32_t kMemRssBytes = 2;
inline constexpr uint32_t kCount = 3;
inline constexpr const char* kNames[] = {
    "cpuNs",
    "ioBytes",
    "memRssBytes",
};
}  // namespace trip_metric

/// Error codes of the readers of kernel files.
enum class ReadCode : uint32_t {
  kNone = 0,
  kCgroupNotFound = 1,
  kCgroupPath = 2,
  kNotCgroup2 = 3,
  kCgroupRead = 4,
  kCgroupParse = 5,
  kControllerNotEnabled = 6,
  kProcGone = 7,
  kProcRead = 8,
  kProcParse = 9,
  kInvalidPid = 10,
  kProcNotAvailable = 11,
};
inline constexpr const char* kReadCodeNames[] = {
    "",
    "ERR_CGROUP_NOT_FOUND",
    "ERR_CGROUP_PATH",
    "ERR_NOT_CGROUP2",
    "ERR_CGROUP_READ",
    "ERR_CGROUP_PARSE",
    "ERR_CONTROLLER_NOT_ENABLED",
    "ERR_PROC_GONE",
    "ERR_PROC_READ",
    "ERR_PROC_PARSE",
    "ERR_INVALID_PID",
    "ERR_PROC_NOT_AVAILABLE",
};

/// Reasons why a kernel file could not be used.
enum class ParseReason : uint32_t {
  kNone = 0,
  kEmpty = 1,
  kMalformedNumber = 2,
  kMissingValue = 3,
  kMissingKey = 4,
  kTrailingBytes = 5,
  kMalformedDevice = 6,
  kKeyBeforeDevice = 7,
  kMissingField = 8,
  kTooLarge = 9,
  kGaugeBelowZero = 10,
  kHidden = 11,
  kForeignMember = 12,
};
inline constexpr const char* kParseReasonNames[] = {
    "",
    "empty file",
    "malformed number",
    "missing value",
    "missing key",
    "trailing bytes",
    "malformed device",
    "key before a device",
    "missing field",
    "larger than 64 KiB",
    "gauge below zero",
    "the process exists, but /proc hides it",
    "a member is in a pid namespace that is not below ours",
};

/// Why the reviewer log could not be written: a system call failed (`errno`), the lock was not
/// acquired, the file is not a regular file, has foreign content, or is a link.
enum class LogFault : uint32_t {
  kNone = 0,
  kErrno = 1,
  kLock = 2,
  kNotRegular = 3,
  kForeign = 4,
  kLink = 5,
};
inline constexpr const char* kLogFaultNames[] = {
    "",
    "errno",
    "lock",
    "not-regular",
    "foreign",
    "link",
};

/// The file of the reviewer log that a failure concerns.
enum class LogFile : uint32_t {
  kEvents = 0,
  kRotated = 1,
  kLock = 2,
};
inline constexpr const char* kLogFileNames[] = {
    "events",
    "rotated",
    "lock",
};

/// The state in which a cancel found an append: already being written, waiting for the lock, or
/// waiting for an earlier write.
enum class LogCancel : uint32_t {
  kTooLate = 0,
  kAwaitedLock = 1,
  kAwaitedWrite = 2,
};
inline constexpr const char* kLogCancelNames[] = {
    "too-late",
    "lock",
    "write",
};

/// The counters of a process that the ledger tracks, each in its own account.
namespace channel {
inline constexpr uint32_t kCpu = 0;
inline constexpr uint32_t kCpuUser = 1;
inline constexpr uint32_t kCpuSystem = 2;
inline constexpr uint32_t kMinorFaults = 3;
inline constexpr uint32_t kMajorFaults = 4;
inline constexpr uint32_t kIoRead = 5;
inline constexpr uint32_t kIoWrite = 6;
inline constexpr uint32_t kCount = 7;
}  // namespace channel

/// Result bits of a sample.
namespace outcome {
/// The source of a part differs from that in the previous frame.
inline constexpr uint32_t kSourceChanged = 1;
/// New warnings are pending.
inline constexpr uint32_t kWarning = 2;
/// The episode ended: its root and all other members have exited.
inline constexpr uint32_t kEnded = 4;
/// A tripwire or a threshold of the budget was tripped or released.
inline constexpr uint32_t kTripped = 8;
/// A limit was reached for the first time.
inline constexpr uint32_t kExhausted = 16;
}  // namespace outcome

/// Actions of a tripwire, as bits.
namespace trip_action {
/// Sample at the fast period while tripped; the frames have the `highFrequency` flag.
inline constexpr uint32_t kSpeedUp = 1;
/// Notify the thread that started the episode.
inline constexpr uint32_t kNotify = 2;
/// Treat the trip as a reached limit, like a limit of the budget.
inline constexpr uint32_t kExhaust = 4;
}  // namespace trip_action

/// Indices of the u64 words in the shared memory of a budget.
namespace budget_word {
inline constexpr uint32_t kMagic = 0;
inline constexpr uint32_t kDeferred = 1;
inline constexpr uint32_t kLimits = 2;
inline constexpr uint32_t kConsumed = 8;
inline constexpr uint32_t kWords = 14;
}  // namespace budget_word

/// INV-TL02: maximum time in a frame.
inline constexpr uint64_t kMaxFrameNs = 0x7fffffffffffffff;
/// INV-TL02: maximum size in a frame.
inline constexpr uint64_t kMaxFrameBytes = 0x7fffffffffffffff;
/// INV-TL02: maximum count in a frame.
inline constexpr uint64_t kMaxFrameCount = 0x7fffffffffffffff;
/// First word of the shared memory of a budget: "EPBG", version 1.
inline constexpr uint64_t kBudgetMagic = 0x147425045;
/// Maximum length of an episode id, in characters.
inline constexpr uint32_t kMaxEpisodeIdLength = 128;
/// INV-TL04: maximum length of a cgroup path, in bytes. Longer paths are refused.
inline constexpr uint32_t kMaxCgroupPathLen = 4096;
/// INV-TL05: maximum number of bytes read from a telemetry file.
inline constexpr uint32_t kMaxTelemetryFileSize = 65536;
/// INV-TL07: minimum number of frames that a reader of a ring can see.
inline constexpr uint32_t kMinRingBufferCapacity = 1;
/// INV-TL07: maximum number of frames that a reader of a ring can see.
inline constexpr uint32_t kMaxRingBufferCapacity = 65536;
/// Maximum number of tripwires of a session.
inline constexpr uint32_t kMaxTripwires = 16;
/// Maximum number of warnings pending for the owner: one for each file of a reading.
inline constexpr uint32_t kMaxWarnings = 14;
/// Maximum number of source changes, and of trips, pending for the owner. The oldest are dropped.
inline constexpr uint32_t kMaxKeptNews = 64;
/// Passed with the frame flags of a sample: publish nothing if the episode has ended.
inline constexpr uint32_t kSampleHoldIfEnded = 256;
/// How often a read resumes after the writer has overtaken it.
inline constexpr uint32_t kMaxRingResumes = 8;
/// How often a read of the newest frame is retried. Only a corrupt ring reaches this limit.
inline constexpr uint32_t kMaxLatestTries = 100000;
/// A deadline may be served early by at most the period divided by this.
inline constexpr uint32_t kPacerSlackShare = 64;
/// Up to this number of child lists, every sample reads them all.
inline constexpr uint32_t kBirthFewLists = 64;
/// Checking one newly assigned pid costs about as much as reading this many child lists.
inline constexpr uint32_t kBirthListsPerBirth = 8;
/// If too many pids were assigned, reading the child lists takes at most 1/n of the time, n being
/// this value.
inline constexpr uint32_t kBirthForcedShare = 20;
/// Same, if the newly assigned pids can be checked.
inline constexpr uint32_t kBirthRegularShare = 50;
/// How long a killer waits for processes that get no cpu time, first to stop and then to die.
inline constexpr uint32_t kKillLimitMs = 5000;
/// Pause of a killer between two checks.
inline constexpr uint32_t kKillPauseMs = 1;
/// Time within which processes die after a write to `cgroup.kill` (p99: 1.8 ms).
inline constexpr uint32_t kKillOutliveMs = 20;
/// Number of rounds without a new member after which a killer no longer waits for members in
/// uninterruptible sleep (state D): a fork in progress there fails once SIGKILL is pending.
inline constexpr uint32_t kKillPatienceRounds = 20;
/// Maximum number of members that a killer tracks, which take about 5 MB. It finds further ones
/// after these have exited.
inline constexpr uint32_t kMaxKillMembers = 65536;
/// Unit of `ru_inblock` and `ru_oublock`.
inline constexpr uint32_t kRusageBlockBytes = 512;
/// File system type of cgroup2 (statfs(2)).
inline constexpr uint32_t kCgroup2SuperMagic = 1667723888;
/// File system type of procfs.
inline constexpr uint32_t kProcSuperMagic = 40864;
/// Maximum depth of stacked block devices.
inline constexpr uint32_t kMaxBlockDepth = 16;
/// Maximum depth of cgroups walked below a directory, with one descriptor per level. No delegation
/// is that deep.
inline constexpr uint32_t kMaxCgroupDepth = 64;
/// Maximum size of a line of the reviewer log in bytes, without its newline.
inline constexpr uint32_t kMaxReviewerLineBytes = 4194304;

/// After the end of an episode, the counters are read at this interval
/// (docs/kernel.md#the-end-of-an-episode) …
inline constexpr uint64_t kSettleIntervalNs = 1000000;
/// … until they have not changed for this long, which is two ticks at HZ=250: the kernel accounts
/// exiting tasks by tick …
inline constexpr uint64_t kSettleAgreeNs = 8000000;
/// … or until this has passed, because systemd removes a scope within 20 ms of its end.
inline constexpr uint64_t kSettleLimitNs = 10000000;
/// After the root exits, the end of the episode is checked after this delay, which is doubled each
/// time …
inline constexpr uint64_t kLingerFirstNs = 1000000;
/// … up to this delay: notifications of `cgroup.events` are rate-limited, and descendants can run
/// for a long time.
inline constexpr uint64_t kLingerMaxNs = 20000000;
/// How long to wait for a freeze or a kill to complete: a process in uninterruptible sleep reacts
/// to neither.
inline constexpr uint64_t kEnforceLimitNs = 5000000000;
/// How long an exiting thread waits for its sampler to end its episodes.
inline constexpr uint64_t kSamplerEndLimitNs = 1000000000;
/// Maximum time by which a deadline may be served early.
inline constexpr uint64_t kMaxPacerSlackNs = 1000000;
/// Maximum interval between two reads of the child lists, unless their share of the time forbids
/// it.
inline constexpr uint64_t kBirthRegularNs = 1000000000;
/// Interval at which the stacking of block devices is read again.
inline constexpr uint64_t kBlockStackPeriodNs = 10000000000;

}  // namespace episcope
