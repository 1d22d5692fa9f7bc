// Generated from schema/ by `npm run schema`: do not edit.

/** The parts of a reading, as bits. A read takes the set of requested parts and returns the set of available ones. */
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
 * How an episode is measured: by the best tier available, by its cgroup, by its bare leaf (cpu from the cgroup, the
 * rest from /proc), or by its process tree.
 */
export const TIERS = [
  'auto',
  'cgroup',
  'leaf',
  'proc',
] as const;
export type Tier = (typeof TIERS)[number];

/** What to do when a limit is reached, weakest action first. */
export const EXHAUST_ACTIONS = [
  'stop',
  'freeze',
  'kill',
] as const;
export type ExhaustAction = (typeof EXHAUST_ACTIONS)[number];

/** The resources that a budget limits. Times are counted in ns, sizes in bytes. */
export const RESOURCES = [
  'cpuMs',
  'ioBytes',
  'wallMs',
  'tokens',
  'toolCalls',
  'evidenceBytes',
] as const;
export type BudgetResource = (typeof RESOURCES)[number];

/** The metrics that a tripwire can watch; `ioBytes` is the sum of read and written bytes. */
export const TRIP_METRICS = [
  'cpuNs',
  'ioBytes',
  'memRssBytes',
] as const;
export type TripMetric = (typeof TRIP_METRICS)[number];

/** Error codes of the readers of kernel files. */
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

/** Reasons why a kernel file could not be used. */
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
  'the process exists, but /proc hides it',
  'a member is in a pid namespace that is not below ours',
] as const;
export type ParseReason = Exclude<(typeof PARSE_REASONS)[number], ''>;

/**
 * Why the reviewer log could not be written: a system call failed (`errno`), the lock was not acquired, the file is not
 * a regular file, has foreign content, or is a link.
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

/** The file of the reviewer log that a failure concerns. */
export const LOG_FILES = [
  'events',
  'rotated',
  'lock',
] as const;
export type LogFile = (typeof LOG_FILES)[number];

/**
 * The state in which a cancel found an append: already being written, waiting for the lock, or waiting for an earlier
 * write.
 */
export const LOG_CANCELS = [
  'too-late',
  'lock',
  'write',
] as const;
export type LogCancel = (typeof LOG_CANCELS)[number];

/** The counters of a process that the ledger tracks, each in its own account. */
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

/** Result bits of a sample. */
export const SampleOutcome = {
  /** The source of a part differs from that in the previous frame. */
  SOURCE_CHANGED: 1,
  /** New warnings are pending. */
  WARNING: 2,
  /** The episode ended: its root and all other members have exited. */
  ENDED: 4,
  /** A tripwire or a threshold of the budget was tripped or released. */
  TRIPPED: 8,
  /** A limit was reached for the first time. */
  EXHAUSTED: 16,
} as const;

/** Actions of a tripwire, as bits. */
export const TripAction = {
  /** Sample at the fast period while tripped; the frames have the `highFrequency` flag. */
  SPEED_UP: 1,
  /** Notify the thread that started the episode. */
  NOTIFY: 2,
  /** Treat the trip as a reached limit, like a limit of the budget. */
  EXHAUST: 4,
} as const;

/** Indices of the u64 words in the shared memory of a budget. */
export const BudgetWord = {
  MAGIC: 0,
  DEFERRED: 1,
  LIMITS: 2,
  CONSUMED: 8,
  WORDS: 14,
} as const;
