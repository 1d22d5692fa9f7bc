/** Every enumeration that both languages know. */

/**
 * Lists of texts. TypeScript has the array and its union type; C++ has the indices, as an `enum class` of the type's
 * name, or as constants in the namespace `cpp`. `none`: index 0 is `kNone` in C++ and '' in TypeScript.
 */
export const LISTS = [
  {
    name: 'TIERS',
    type: 'Tier',
    doc: 'How an episode is measured: the best that there is, its whole cgroup, its bare leaf (cpu from the cgroup, the rest from /proc), its process tree.',
    values: ['auto', 'cgroup', 'leaf', 'proc'],
  },
  {
    name: 'EXHAUST_ACTIONS',
    type: 'ExhaustAction',
    doc: 'What is done when a limit is reached, the weakest first.',
    values: ['stop', 'freeze', 'kill'],
  },
  {
    name: 'RESOURCES',
    type: 'BudgetResource',
    cpp: 'resource',
    doc: 'What a budget limits. Times are counted in ns, sizes in bytes.',
    values: ['cpuMs', 'ioBytes', 'wallMs', 'tokens', 'toolCalls', 'evidenceBytes'],
  },
  {
    name: 'TRIP_METRICS',
    type: 'TripMetric',
    cpp: 'trip_metric',
    doc: 'What a tripwire watches; `ioBytes` is read + written.',
    values: ['cpuNs', 'ioBytes', 'memRssBytes'],
  },
  {
    name: 'READ_CODES',
    type: 'ReadCode',
    none: true,
    doc: 'Error codes that a reader of kernel files can meet.',
    values: [
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
    ],
  },
  {
    name: 'PARSE_REASONS',
    type: 'ParseReason',
    none: true,
    doc: 'Why the text of a kernel file was refused.',
    values: [
      ['empty file', 'EMPTY'],
      ['malformed number', 'MALFORMED_NUMBER'],
      ['missing value', 'MISSING_VALUE'],
      ['missing key', 'MISSING_KEY'],
      ['trailing bytes', 'TRAILING_BYTES'],
      ['malformed device', 'MALFORMED_DEVICE'],
      ['key before a device', 'KEY_BEFORE_DEVICE'],
      ['missing field', 'MISSING_FIELD'],
      ['larger than 64 KiB', 'TOO_LARGE'],
      ['gauge below zero', 'GAUGE_BELOW_ZERO'],
      ['it lives, and /proc hides it', 'HIDDEN'],
      ['a member lives in a pid namespace that is not below ours', 'FOREIGN_MEMBER'],
    ],
  },
  {
    name: 'KERNEL_TEXTS',
    type: 'KernelText',
    doc: 'Kernel files that have a parser of their own, by which the tests of the parsers name them.',
    values: [
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
    ],
  },
  {
    name: 'LOG_FAULTS',
    type: 'LogFault',
    none: true,
    doc: 'Why the reviewer log could not be written: what the kernel said (`errno`), the lock, no regular file, foreign content, a link.',
    values: ['errno', 'lock', 'not-regular', 'foreign', 'link'],
  },
  {
    name: 'LOG_FILES',
    type: 'LogFile',
    doc: 'Which file of the reviewer log a failure is about.',
    values: ['events', 'rotated', 'lock'],
  },
  {
    name: 'LOG_CANCELS',
    type: 'LogCancel',
    doc: 'What became of an append that was cancelled: it is being written or was; it waited for the lock; it waited for an earlier write.',
    values: [
      ['too-late', 'TOO_LATE'],
      ['lock', 'AWAITED_LOCK'],
      ['write', 'AWAITED_WRITE'],
    ],
  },
];

/** Named numbers, in C++ constants in the namespace `cpp`. */
export const NUMBERS = [
  {
    name: 'Channel',
    cpp: 'channel',
    doc: 'What the ledger counts of a process, each with an account of its own.',
    values: {
      CPU: 0,
      CPU_USER: 1,
      CPU_SYSTEM: 2,
      MINOR_FAULTS: 3,
      MAJOR_FAULTS: 4,
      IO_READ: 5,
      IO_WRITE: 6,
      COUNT: 7,
    },
  },
  {
    name: 'SampleOutcome',
    cpp: 'outcome',
    doc: 'What one sample found, as bits.',
    values: { SOURCE_CHANGED: 1, WARNING: 2, ENDED: 4, TRIPPED: 8, EXHAUSTED: 16 },
    docs: {
      SOURCE_CHANGED: 'The source of a part differs from the frame before.',
      WARNING: 'There are new warnings to take.',
      ENDED: 'The episode ended: its process is gone and nothing of it lives.',
      TRIPPED: 'A tripwire, or a threshold of the budget, was tripped or released.',
      EXHAUSTED: 'A limit was reached for the first time.',
    },
  },
  {
    name: 'TripAction',
    cpp: 'trip_action',
    doc: 'What the sampler does when a tripwire trips, as bits.',
    values: { SPEED_UP: 1, NOTIFY: 2, EXHAUST: 4 },
    docs: {
      SPEED_UP:
        'Samples at the fast period while it is tripped; the frames are flagged `highFrequency`.',
      NOTIFY: 'Tells the thread that started the episode.',
      EXHAUST: 'Counts as a limit that was reached, like one of the budget.',
    },
  },
];
