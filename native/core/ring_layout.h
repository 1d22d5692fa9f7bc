// Ring layout v1. The picture and the reasons stand in src/ring/layout.ts; a test compares every
// number here with the one there.
#pragma once

#include <cstdint>

namespace episcope {

inline constexpr uint32_t kRingMagic = 0x43535045;
inline constexpr uint32_t kRingVersion = 1;
inline constexpr uint32_t kRingHeaderBytes = 256;
inline constexpr uint32_t kRingSlotBytes = 256;
inline constexpr uint32_t kRingSlotWords = 32;

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

namespace ring_state {
inline constexpr uint32_t kOpen = 0;
inline constexpr uint32_t kEnded = 1;
}  // namespace ring_state

namespace ring_writer_kind {
inline constexpr uint32_t kJs = 0;
inline constexpr uint32_t kNative = 1;
}  // namespace ring_writer_kind

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

namespace flag {
inline constexpr uint32_t kHighFrequency = 1;
inline constexpr uint32_t kPromoted = 2;
inline constexpr uint32_t kDegraded = 4;
inline constexpr uint32_t kInitial = 8;
inline constexpr uint32_t kTerminal = 16;
}  // namespace flag

namespace meta_shift {
inline constexpr uint32_t kSourceCpu = 8;
inline constexpr uint32_t kSourceMemory = 10;
inline constexpr uint32_t kSourceIo = 12;
inline constexpr uint32_t kQualityCpu = 16;
inline constexpr uint32_t kQualityMemory = 20;
inline constexpr uint32_t kQualityIo = 24;
}  // namespace meta_shift

namespace source {
inline constexpr uint32_t kUnavailable = 0;
inline constexpr uint32_t kCgroup = 1;
inline constexpr uint32_t kProc = 2;
}  // namespace source

namespace quality {
inline constexpr uint32_t kLowerBound = 1;
inline constexpr uint32_t kStale = 2;
inline constexpr uint32_t kRebased = 4;
inline constexpr uint32_t kFinal = 8;
}  // namespace quality

}  // namespace episcope
