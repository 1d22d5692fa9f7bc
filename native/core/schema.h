// Generated from schema/ by `npm run schema`: do not edit. What both languages know, of which
// src/schema/ is the other half.
#pragma once

#include <cstdint>

namespace episcope {

inline constexpr uint32_t kRingMagic = 0x43535045;
inline constexpr uint32_t kRingVersion = 2;
inline constexpr uint32_t kRingHeaderBytes = 256;
inline constexpr uint32_t kRingSlotBytes = 384;

/// Words of a frame: the slot may have room for more, which is neither written nor read.
inline constexpr uint32_t kFrameWords = 27;

/// Words of a slot as this release writes it, and its highest size that a reader accepts.
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

/// `RingHeader.STATE`.
namespace ring_state {
inline constexpr uint32_t kOpen = 0;
inline constexpr uint32_t kEnded = 1;
}  // namespace ring_state

/// `RingHeader.WRITER`: a native writer can wake a reader that has the addon.
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

/// Where the sources (two bits a part) and the qualities (four bits a part) begin in the word
/// `META`.
namespace meta_shift {
inline constexpr uint32_t kSourceCpu = 8;
inline constexpr uint32_t kSourceMemory = 10;
inline constexpr uint32_t kSourceIo = 12;
inline constexpr uint32_t kQualityCpu = 16;
inline constexpr uint32_t kQualityMemory = 20;
inline constexpr uint32_t kQualityIo = 24;
}  // namespace meta_shift

/// Where the figures of a part come from.
namespace source {
inline constexpr uint32_t kUnavailable = 0;
inline constexpr uint32_t kCgroup = 1;
inline constexpr uint32_t kProc = 2;
}  // namespace source

/// What is known about the figures of a part.
namespace quality {
inline constexpr uint32_t kLowerBound = 1;
inline constexpr uint32_t kStale = 2;
inline constexpr uint32_t kRebased = 4;
inline constexpr uint32_t kFinal = 8;
}  // namespace quality

/// Words of a slot. Bit w of the word kValid says that word w holds a value; an absent metric has
/// its bit off and its word 0.
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

/// The parts of a reading, as bits. A reader is asked for a set and answers with the set it could
/// read.
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

/// The words of each part, by its index, as bits of word::kValid.
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
/// Those that never decrease.
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
/// Those of the part that /proc has too.
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

/// How an episode is measured: the best that there is, its whole cgroup, its bare leaf (cpu from
/// the cgroup, the rest from /proc), its process tree.
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

/// What is done when a limit is reached, the weakest first.
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

/// What a budget limits. Times are counted in ns, sizes in bytes.
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

/// What a tripwire watches; `ioBytes` is read + written.
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

/// Error codes that a reader of kernel files can meet.
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

/// Why the text of a kernel file was refused.
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
    "it lives, and /proc hides it",
    "a member lives in a pid namespace that is not below ours",
};

/// Kernel files that have a parser of their own, by which the tests of the parsers name them.
enum class KernelText : uint32_t {
  kCpuStat = 0,
  kMemoryCurrent = 1,
  kMemoryStat = 2,
  kMemoryEvents = 3,
  kIoStat = 4,
  kPressure = 5,
  kCgroupEvents = 6,
  kProcStat = 7,
  kProcStatm = 8,
  kProcIo = 9,
};
inline constexpr const char* kKernelTextNames[] = {
    "cpu.stat",
    "memory.current",
    "memory.stat",
    "memory.events",
    "io.stat",
    "pressure",
    "cgroup.events",
    "proc.stat",
    "proc.statm",
    "proc.io",
};

/// Why the reviewer log could not be written: what the kernel said (`errno`), the lock, no regular
/// file, foreign content, a link.
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

/// Which file of the reviewer log a failure is about.
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

/// What became of an append that was cancelled: it is being written or was; it waited for the lock;
/// it waited for an earlier write.
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

/// What the ledger counts of a process, each with an account of its own.
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

/// What one sample found, as bits.
namespace outcome {
/// The source of a part differs from the frame before.
inline constexpr uint32_t kSourceChanged = 1;
/// There are new warnings to take.
inline constexpr uint32_t kWarning = 2;
/// The episode ended: its process is gone and nothing of it lives.
inline constexpr uint32_t kEnded = 4;
/// A tripwire, or a threshold of the budget, was tripped or released.
inline constexpr uint32_t kTripped = 8;
/// A limit was reached for the first time.
inline constexpr uint32_t kExhausted = 16;
}  // namespace outcome

/// What the sampler does when a tripwire trips, as bits.
namespace trip_action {
/// Samples at the fast period while it is tripped; the frames are flagged `highFrequency`.
inline constexpr uint32_t kSpeedUp = 1;
/// Tells the thread that started the episode.
inline constexpr uint32_t kNotify = 2;
/// Counts as a limit that was reached, like one of the budget.
inline constexpr uint32_t kExhaust = 4;
}  // namespace trip_action

/// u64 words of the shared memory of a budget.
namespace budget_word {
inline constexpr uint32_t kMagic = 0;
inline constexpr uint32_t kDeferred = 1;
inline constexpr uint32_t kLimits = 2;
inline constexpr uint32_t kConsumed = 8;
inline constexpr uint32_t kWords = 14;
}  // namespace budget_word

/// INV-TL02: the highest time in a frame.
inline constexpr uint64_t kMaxFrameNs = 0x7fffffffffffffff;
/// INV-TL02: the highest size in a frame.
inline constexpr uint64_t kMaxFrameBytes = 0x7fffffffffffffff;
/// INV-TL02: the highest count in a frame.
inline constexpr uint64_t kMaxFrameCount = 0x7fffffffffffffff;
/// Shared memory of a budget: "EPBG", version 1.
inline constexpr uint64_t kBudgetMagic = 0x147425045;
/// Characters of an episode id.
inline constexpr uint32_t kMaxEpisodeIdLength = 128;
/// INV-TL04: bytes of a cgroup path; a longer one is refused.
inline constexpr uint32_t kMaxCgroupPathLen = 4096;
/// INV-TL05: no telemetry file is read beyond this many bytes.
inline constexpr uint32_t kMaxTelemetryFileSize = 65536;
/// INV-TL07: frames that the reader of a ring may see.
inline constexpr uint32_t kMinRingBufferCapacity = 1;
/// INV-TL07: frames that the reader of a ring may see.
inline constexpr uint32_t kMaxRingBufferCapacity = 65536;
/// Tripwires of one session.
inline constexpr uint32_t kMaxTripwires = 16;
/// Warnings that wait for their owner: one for each file of a reading.
inline constexpr uint32_t kMaxWarnings = 14;
/// Source changes, and trips, that wait for their owner; of more the newest are kept.
inline constexpr uint32_t kMaxKeptNews = 64;
/// Beside the frame flags of a sample: publish nothing when the episode has ended.
inline constexpr uint32_t kSampleHoldIfEnded = 256;
/// How often one read starts over behind a writer that keeps overtaking it.
inline constexpr uint32_t kMaxRingResumes = 8;
/// The same for the newest frame alone; only a corrupt ring uses them up.
inline constexpr uint32_t kMaxLatestTries = 100000;
/// A deadline may be served early by the period divided by this.
inline constexpr uint32_t kPacerSlackShare = 64;
/// So few lists of children are read at every sample.
inline constexpr uint32_t kBirthFewLists = 64;
/// Looking at one pid that was handed out costs as much as reading this many lists.
inline constexpr uint32_t kBirthListsPerBirth = 8;
/// Where too much was born, the lists are read for at most one part in this of the time.
inline constexpr uint32_t kBirthForcedShare = 20;
/// Else for at most one part in this.
inline constexpr uint32_t kBirthRegularShare = 50;
/// How long a killer waits for processes that get no cpu, first to stop and then to die.
inline constexpr uint32_t kKillLimitMs = 5000;
/// A killer looks again after this pause.
inline constexpr uint32_t kKillPauseMs = 1;
/// What `cgroup.kill` reaches is dead within this time (p99: 1.8 ms).
inline constexpr uint32_t kKillOutliveMs = 20;
/// Rounds without a new member after which a killer no longer waits for those that hang in the
/// kernel (state D): a fork that is under way there fails once SIGKILL is pending.
inline constexpr uint32_t kKillPatienceRounds = 20;
/// Members that a killer keeps, some 5 MB; those beyond are found when others are gone.
inline constexpr uint32_t kMaxKillMembers = 65536;
/// The unit of `ru_inblock` and `ru_oublock`.
inline constexpr uint32_t kRusageBlockBytes = 512;
/// File system type of cgroup2 (statfs(2)).
inline constexpr uint32_t kCgroup2SuperMagic = 1667723888;
/// File system type of procfs.
inline constexpr uint32_t kProcSuperMagic = 40864;
/// Block devices that stand on one another.
inline constexpr uint32_t kMaxBlockDepth = 16;
/// Levels of cgroups that are walked below a directory, one descriptor each: deeper than any
/// delegation goes.
inline constexpr uint32_t kMaxCgroupDepth = 64;
/// Bytes of one line of the reviewer log, its newline not counted.
inline constexpr uint32_t kMaxReviewerLineBytes = 4194304;

/// After the end was seen the counters are read this far apart
/// (docs/kernel.md#the-end-of-an-episode) …
inline constexpr uint64_t kSettleIntervalNs = 1000000;
/// … until none has moved for this long: two ticks at HZ=250, with which the kernel accounts the
/// dying …
inline constexpr uint64_t kSettleAgreeNs = 8000000;
/// … or this has passed: systemd removes its scope within 20 ms of the end.
inline constexpr uint64_t kSettleLimitNs = 10000000;
/// After the exit of the root the end is looked for this much later, then twice as much later each
/// time …
inline constexpr uint64_t kLingerFirstNs = 1000000;
/// … up to this: `cgroup.events` is rate-limited, and descendants may go on for long.
inline constexpr uint64_t kLingerMaxNs = 20000000;
/// How long what was told to freeze or to die may take: a process in uninterruptible sleep does
/// neither.
inline constexpr uint64_t kEnforceLimitNs = 5000000000;
/// How long a thread that ends waits for its sampler to end its episodes.
inline constexpr uint64_t kSamplerEndLimitNs = 1000000000;
/// A deadline is served at most this early.
inline constexpr uint64_t kMaxPacerSlackNs = 1000000;
/// The lists of children are read at least this often, as far as their share allows.
inline constexpr uint64_t kBirthRegularNs = 1000000000;
/// Which block devices stand on others is looked up this often.
inline constexpr uint64_t kBlockStackPeriodNs = 10000000000;

}  // namespace episcope
