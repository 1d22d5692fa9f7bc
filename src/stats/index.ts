/** The stats of one reading (cpu, memory and io, each with its source) and their conversion from and to slot words. */
export { CpuStats, type CpuStatsInit } from './cpu-stats.js';
export { IoStats, type IoStatsInit } from './io-stats.js';
export { MemoryStats, type MemoryStatsInit } from './memory-stats.js';
export { ResourceStats, type ResourceStatsInit } from './resource-stats.js';
export * from './words.js';
