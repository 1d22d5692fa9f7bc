/** Every enumeration that both languages share. */

/**
 * Lists of strings. TypeScript gets the array and its union type. C++ gets the indices, as an `enum class` named after
 * the type, or as constants in the namespace `cpp`. With `none`, index 0 is `kNone` in C++ and '' in TypeScript.
 */
export const LISTS = [
  {
    name: 'TIERS',
    type: 'Tier',
    doc: 'How an episode is measured: by the best tier available, by its cgroup, by its bare leaf (cpu from the cgroup, the rest from /proc), or by its process tree.',
    values: ['auto', 'cgroup', 'leaf', 'proc'],
  },
  {
    name: 'EXHAUST_ACTIONS',
    type: 'ExhaustAction',
    doc: 'What to do when a limit is reached, weakest action first.',
    values: ['stop', 'freeze', 'kill'],
  },
  {
    name: 'RESOURCES',
    type: 'BudgetResource',
    cpp: 'resource',
    doc: 'The resources that a budget limits. Times are counted in ns, sizes in bytes.',
    values: ['cpuMs', 'ioBytes', 'wallMs', 'tokens', 'toolCalls', 'evidenceBytes'],
  },
  {
    name: 'TRIP_METRICS',
    type: 'TripMetric',
    cpp: 'trip_metric',
    doc: 'The metrics that a tripwire can watch; `ioBytes` is the sum of read and written bytes.',
    values: ['cpuNs', 'ioBytes', 'memRssBytes'],
  },
  {
    name: 'READ_CODES',
    type: 'ReadCode',
    none: true,
    doc: 'Error codes of the readers of kernel files.',
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
    doc: 'Reasons why a kernel file could not be used.',
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
      ['the process exists, but /proc hides it', 'HIDDEN'],
      ['a member is in a pid namespace that is not below ours', 'FOREIGN_MEMBER'],
    ],
  },
  {
    name: 'LOG_FAULTS',
    type: 'LogFault',
    none: true,
    doc: 'Why the reviewer log could not be written: a system call failed (`errno`), the lock was not acquired, the file is not a regular file, has foreign content, or is a link.',
    values: ['errno', 'lock', 'not-regular', 'foreign', 'link'],
  },
  {
    name: 'LOG_FILES',
    type: 'LogFile',
    doc: 'The file of the reviewer log that a failure concerns.',
    values: ['events', 'rotated', 'lock'],
  },
  {
    name: 'LOG_CANCELS',
    type: 'LogCancel',
    doc: 'The state in which a cancel found an append: already being written, waiting for the lock, or waiting for an earlier write.',
    values: [
      ['too-late', 'TOO_LATE'],
      ['lock', 'AWAITED_LOCK'],
      ['write', 'AWAITED_WRITE'],
    ],
  },
];

/** Named numbers. C++ gets constants in the namespace `cpp`. */
export const NUMBERS = [
  {
    name: 'Channel',
    cpp: 'channel',
    doc: 'The counters of a process that the ledger tracks, each in its own account.',
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
    doc: 'Result bits of a sample.',
    values: { SOURCE_CHANGED: 1, WARNING: 2, ENDED: 4, TRIPPED: 8, EXHAUSTED: 16 },
    docs: {
      SOURCE_CHANGED: 'The source of a part differs from that in the previous frame.',
      WARNING: 'New warnings are pending.',
      ENDED: 'The episode ended: its root and all other members have exited.',
      TRIPPED: 'A tripwire or a threshold of the budget was tripped or released.',
      EXHAUSTED: 'A limit was reached for the first time.',
    },
  },
  {
    name: 'TripAction',
    cpp: 'trip_action',
    doc: 'Actions of a tripwire, as bits.',
    values: { SPEED_UP: 1, NOTIFY: 2, EXHAUST: 4 },
    docs: {
      SPEED_UP:
        'Sample at the fast period while tripped; the frames have the `highFrequency` flag.',
      NOTIFY: 'Notify the thread that started the episode.',
      EXHAUST: 'Treat the trip as a reached limit, like a limit of the budget.',
    },
  },
];
