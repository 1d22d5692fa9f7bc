/** Every bound and time that both languages share. A name ends with its unit. */

const MS = 1_000_000n;

export const BOUNDS = [
  {
    name: 'MAX_EPISODE_ID_LENGTH',
    value: 128,
    doc: 'Maximum length of an episode id, in characters.',
  },
  {
    name: 'MAX_CGROUP_PATH_LEN',
    value: 4096,
    doc: 'INV-TL04: maximum length of a cgroup path, in bytes. Longer paths are refused.',
  },
  {
    name: 'MAX_TELEMETRY_FILE_SIZE',
    value: 64 * 1024,
    doc: 'INV-TL05: maximum number of bytes read from a telemetry file.',
  },
  {
    name: 'MIN_RING_BUFFER_CAPACITY',
    value: 1,
    doc: 'INV-TL07: minimum number of frames that a reader of a ring can see.',
  },
  {
    name: 'MAX_RING_BUFFER_CAPACITY',
    value: 65_536,
    doc: 'INV-TL07: maximum number of frames that a reader of a ring can see.',
  },
  { name: 'MAX_TRIPWIRES', value: 16, doc: 'Maximum number of tripwires of a session.' },
  {
    name: 'MAX_WARNINGS',
    value: 14,
    doc: 'Maximum number of warnings pending for the owner: one for each file of a reading.',
  },
  {
    name: 'MAX_KEPT_NEWS',
    value: 64,
    doc: 'Maximum number of source changes, and of trips, pending for the owner. The oldest are dropped.',
  },
  {
    name: 'SAMPLE_HOLD_IF_ENDED',
    value: 0x100,
    doc: 'Passed with the frame flags of a sample: publish nothing if the episode has ended.',
  },
  {
    name: 'MAX_RING_RESUMES',
    value: 8,
    doc: 'How often a read resumes after the writer has overtaken it.',
  },
  {
    name: 'MAX_LATEST_TRIES',
    value: 100_000,
    doc: 'How often a read of the newest frame is retried. Only a corrupt ring reaches this limit.',
  },
  {
    name: 'PACER_SLACK_SHARE',
    value: 64,
    doc: 'A deadline may be served early by at most the period divided by this.',
  },
  {
    name: 'BIRTH_FEW_LISTS',
    value: 64,
    doc: 'Up to this number of child lists, every sample reads them all.',
  },
  {
    name: 'BIRTH_LISTS_PER_BIRTH',
    value: 8,
    doc: 'Checking one newly assigned pid costs about as much as reading this many child lists.',
  },
  {
    name: 'BIRTH_FORCED_SHARE',
    value: 20,
    doc: 'If too many pids were assigned, reading the child lists takes at most 1/n of the time, n being this value.',
  },
  {
    name: 'BIRTH_REGULAR_SHARE',
    value: 50,
    doc: 'Same, if the newly assigned pids can be checked.',
  },
  {
    name: 'KILL_LIMIT_MS',
    value: 5_000,
    doc: 'How long a killer waits for processes that get no cpu time, first to stop and then to die.',
  },
  { name: 'KILL_PAUSE_MS', value: 1, doc: 'Pause of a killer between two checks.' },
  {
    name: 'KILL_OUTLIVE_MS',
    value: 20,
    doc: 'Time within which processes die after a write to `cgroup.kill` (p99: 1.8 ms).',
  },
  {
    name: 'KILL_PATIENCE_ROUNDS',
    value: 20,
    doc: 'Number of rounds without a new member after which a killer no longer waits for members in uninterruptible sleep (state D): a fork in progress there fails once SIGKILL is pending.',
  },
  {
    name: 'MAX_KILL_MEMBERS',
    value: 65_536,
    doc: 'Maximum number of members that a killer tracks, which take about 5 MB. It finds further ones after these have exited.',
  },
  { name: 'RUSAGE_BLOCK_BYTES', value: 512, doc: 'Unit of `ru_inblock` and `ru_oublock`.' },
  {
    name: 'CGROUP2_SUPER_MAGIC',
    value: 0x63677270,
    doc: 'File system type of cgroup2 (statfs(2)).',
  },
  { name: 'PROC_SUPER_MAGIC', value: 0x9fa0, doc: 'File system type of procfs.' },
  { name: 'MAX_BLOCK_DEPTH', value: 16, doc: 'Maximum depth of stacked block devices.' },
  {
    name: 'MAX_CGROUP_DEPTH',
    value: 64,
    doc: 'Maximum depth of cgroups walked below a directory, with one descriptor per level. No delegation is that deep.',
  },
  {
    name: 'MAX_REVIEWER_LINE_BYTES',
    value: 4 * 1024 * 1024,
    doc: 'Maximum size of a line of the reviewer log in bytes, without its newline.',
  },
];

/** Values beyond 2^53: bigints in TypeScript. */
export const BIG_BOUNDS = [
  { name: 'MAX_FRAME_NS', value: 2n ** 63n - 1n, doc: 'INV-TL02: maximum time in a frame.' },
  { name: 'MAX_FRAME_BYTES', value: 2n ** 63n - 1n, doc: 'INV-TL02: maximum size in a frame.' },
  {
    name: 'MAX_FRAME_COUNT',
    value: 2n ** 63n - 1n,
    doc: 'INV-TL02: maximum count in a frame.',
  },
  {
    name: 'BUDGET_MAGIC',
    value: 0x0000_0001_4742_5045n,
    doc: 'First word of the shared memory of a budget: "EPBG", version 1.',
  },
];

export const TIMES = [
  {
    name: 'SETTLE_INTERVAL_NS',
    value: MS,
    doc: 'After the end of an episode, the counters are read at this interval (docs/kernel.md#the-end-of-an-episode) …',
  },
  {
    name: 'SETTLE_AGREE_NS',
    value: 8n * MS,
    doc: '… until they have not changed for this long, which is two ticks at HZ=250: the kernel accounts exiting tasks by tick …',
  },
  {
    name: 'SETTLE_LIMIT_NS',
    value: 10n * MS,
    doc: '… or until this has passed, because systemd removes a scope within 20 ms of its end.',
  },
  {
    name: 'LINGER_FIRST_NS',
    value: MS,
    doc: 'After the root exits, the end of the episode is checked after this delay, which is doubled each time …',
  },
  {
    name: 'LINGER_MAX_NS',
    value: 20n * MS,
    doc: '… up to this delay: notifications of `cgroup.events` are rate-limited, and descendants can run for a long time.',
  },
  {
    name: 'ENFORCE_LIMIT_NS',
    value: 5_000n * MS,
    doc: 'How long to wait for a freeze or a kill to complete: a process in uninterruptible sleep reacts to neither.',
  },
  {
    name: 'SAMPLER_END_LIMIT_NS',
    value: 1_000n * MS,
    doc: 'How long an exiting thread waits for its sampler to end its episodes.',
  },
  {
    name: 'MAX_PACER_SLACK_NS',
    value: MS,
    doc: 'Maximum time by which a deadline may be served early.',
  },
  {
    name: 'BIRTH_REGULAR_NS',
    value: 1_000n * MS,
    doc: 'Maximum interval between two reads of the child lists, unless their share of the time forbids it.',
  },
  {
    name: 'BLOCK_STACK_PERIOD_NS',
    value: 10_000n * MS,
    doc: 'Interval at which the stacking of block devices is read again.',
  },
];
