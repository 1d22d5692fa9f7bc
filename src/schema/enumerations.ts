// Generated from schema/ by `npm run schema`: do not edit.

/** Parts of a reading, as bits: a reader is asked for a set and answers with the set it could read. */
export const PartBit = {
  /** cpu time */
  CPU: 1,
  /** memory and page faults */
  MEMORY: 2,
  /** storage io */
  IO: 4,
  /** oom kills, tasks, pressure; an absent value is not a failure */
  EXTRA: 8,
  ALL: 15,
} as const;

/** Index of a part. */
export const PartIndex = {
  CPU: 0,
  MEMORY: 1,
  IO: 2,
  EXTRA: 3,
} as const;
export type PartIndexValue = (typeof PartIndex)[keyof typeof PartIndex];

/**
 * How an episode is measured: the best that there is, its whole cgroup, its bare leaf (cpu from the cgroup, the rest
 * from /proc), its process tree.
 */
export const TIERS = [
  'auto',
  'cgroup',
  'leaf',
  'proc',
] as const;
export type Tier = (typeof TIERS)[number];

/** What is done when a limit is reached, the weakest first. */
export const EXHAUST_ACTIONS = [
  'stop',
  'freeze',
  'kill',
] as const;
export type ExhaustAction = (typeof EXHAUST_ACTIONS)[number];

/** What a budget limits. Times are counted in ns, sizes in bytes. */
export const RESOURCES = [
  'cpuMs',
  'ioBytes',
  'wallMs',
  'tokens',
  'toolCalls',
  'evidenceBytes',
] as const;
export type BudgetResource = (typeof RESOURCES)[number];

/** What a tripwire watches; `ioBytes` is read + written. */
export const TRIP_METRICS = [
  'cpuNs',
  'ioBytes',
  'memRssBytes',
] as const;
export type TripMetric = (typeof TRIP_METRICS)[number];

/** Error codes that a reader of kernel files can meet. */
export const READ_CODES = [
  '',
  'ERR_CGROUP_NOT_FOUND',
  'ERR_CGROUP_PATH',
  'ERR_NOT_CGROUP2',
  'ERR_CGROUP_READ',
  'ERR_CGROUP_PARSE',
  'ERR_CONTROLLER_NOT_ENABLED',
  'ERR_PROC_GONE',
  'ERR_PROC_READ',
  'ERR_PROC_PARSE',
  'ERR_INVALID_PID',
  'ERR_PROC_NOT_AVAILABLE',
] as const;
export type ReadCode = Exclude<(typeof READ_CODES)[number], ''>;

/** Why the text of a kernel file was refused. */
export const PARSE_REASONS = [
  '',
  'empty file',
  'malformed number',
  'missing value',
  'missing key',
  'trailing bytes',
  'malformed device',
  'key before a device',
  'missing field',
  'larger than 64 KiB',
  'gauge below zero',
  'it lives, and /proc hides it',
  'a member lives in a pid namespace that is not below ours',
] as const;
export type ParseReason = Exclude<(typeof PARSE_REASONS)[number], ''>;

/** Kernel files that have a parser of their own, by which the tests of the parsers name them. */
export const KERNEL_TEXTS = [
  'cpu.stat',
  'memory.current',
  'memory.stat',
  'memory.events',
  'io.stat',
  'pressure',
  'cgroup.events',
  'proc.stat',
  'proc.statm',
  'proc.io',
] as const;
export type KernelText = (typeof KERNEL_TEXTS)[number];

/**
 * Why the reviewer log could not be written: what the kernel said (`errno`), the lock, no regular file, foreign
 * content, a link.
 */
export const LOG_FAULTS = [
  '',
  'errno',
  'lock',
  'not-regular',
  'foreign',
  'link',
] as const;
export type LogFault = Exclude<(typeof LOG_FAULTS)[number], ''>;

/** Which file of the reviewer log a failure is about. */
export const LOG_FILES = [
  'events',
  'rotated',
  'lock',
] as const;
export type LogFile = (typeof LOG_FILES)[number];

/**
 * What became of an append that was cancelled: it is being written or was; it waited for the lock; it waited for an
 * earlier write.
 */
export const LOG_CANCELS = [
  'too-late',
  'lock',
  'write',
] as const;
export type LogCancel = (typeof LOG_CANCELS)[number];

/** What the ledger counts of a process, each with an account of its own. */
export const Channel = {
  CPU: 0,
  CPU_USER: 1,
  CPU_SYSTEM: 2,
  MINOR_FAULTS: 3,
  MAJOR_FAULTS: 4,
  IO_READ: 5,
  IO_WRITE: 6,
  COUNT: 7,
} as const;

/** What one sample found, as bits. */
export const SampleOutcome = {
  /** The source of a part differs from the frame before. */
  SOURCE_CHANGED: 1,
  /** There are new warnings to take. */
  WARNING: 2,
  /** The episode ended: its process is gone and nothing of it lives. */
  ENDED: 4,
  /** A tripwire, or a threshold of the budget, was tripped or released. */
  TRIPPED: 8,
  /** A limit was reached for the first time. */
  EXHAUSTED: 16,
} as const;

/** What the sampler does when a tripwire trips, as bits. */
export const TripAction = {
  /** Samples at the fast period while it is tripped; the frames are flagged `highFrequency`. */
  SPEED_UP: 1,
  /** Tells the thread that started the episode. */
  NOTIFY: 2,
  /** Counts as a limit that was reached, like one of the budget. */
  EXHAUST: 4,
} as const;

/** u64 words of the shared memory of a budget. */
export const BudgetWord = {
  MAGIC: 0,
  DEFERRED: 1,
  LIMITS: 2,
  CONSUMED: 8,
  WORDS: 14,
} as const;
