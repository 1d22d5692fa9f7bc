/** Every bound and every time that both languages know. A name ends in its unit. */

const MS = 1_000_000n;

export const BOUNDS = [
  { name: 'MAX_EPISODE_ID_LENGTH', value: 128, doc: 'Characters of an episode id.' },
  {
    name: 'MAX_CGROUP_PATH_LEN',
    value: 4096,
    doc: 'INV-TL04: bytes of a cgroup path; a longer one is refused.',
  },
  {
    name: 'MAX_TELEMETRY_FILE_SIZE',
    value: 64 * 1024,
    doc: 'INV-TL05: no telemetry file is read beyond this many bytes.',
  },
  {
    name: 'MIN_RING_BUFFER_CAPACITY',
    value: 1,
    doc: 'INV-TL07: frames that the reader of a ring may see.',
  },
  {
    name: 'MAX_RING_BUFFER_CAPACITY',
    value: 65_536,
    doc: 'INV-TL07: frames that the reader of a ring may see.',
  },
  { name: 'MAX_TRIPWIRES', value: 16, doc: 'Tripwires of one session.' },
  {
    name: 'MAX_WARNINGS',
    value: 14,
    doc: 'Warnings that wait for their owner: one for each file of a reading.',
  },
  {
    name: 'MAX_KEPT_NEWS',
    value: 64,
    doc: 'Source changes, and trips, that wait for their owner; of more the newest are kept.',
  },
  {
    name: 'SAMPLE_HOLD_IF_ENDED',
    value: 0x100,
    doc: 'Beside the frame flags of a sample: publish nothing when the episode has ended.',
  },
  {
    name: 'MAX_RING_RESUMES',
    value: 8,
    doc: 'How often one read starts over behind a writer that keeps overtaking it.',
  },
  {
    name: 'MAX_LATEST_TRIES',
    value: 100_000,
    doc: 'The same for the newest frame alone; only a corrupt ring uses them up.',
  },
  {
    name: 'PACER_SLACK_SHARE',
    value: 64,
    doc: 'A deadline may be served early by the period divided by this.',
  },
  { name: 'BIRTH_FEW_LISTS', value: 64, doc: 'So few lists of children are read at every sample.' },
  {
    name: 'BIRTH_LISTS_PER_BIRTH',
    value: 8,
    doc: 'Looking at one pid that was handed out costs as much as reading this many lists.',
  },
  {
    name: 'BIRTH_FORCED_SHARE',
    value: 20,
    doc: 'Where too much was born, the lists are read for at most one part in this of the time.',
  },
  { name: 'BIRTH_REGULAR_SHARE', value: 50, doc: 'Else for at most one part in this.' },
  {
    name: 'KILL_LIMIT_MS',
    value: 5_000,
    doc: 'How long a killer waits for processes that get no cpu, first to stop and then to die.',
  },
  { name: 'KILL_PAUSE_MS', value: 1, doc: 'A killer looks again after this pause.' },
  {
    name: 'KILL_OUTLIVE_MS',
    value: 20,
    doc: 'What `cgroup.kill` reaches is dead within this time (p99: 1.8 ms).',
  },
  {
    name: 'KILL_PATIENCE_ROUNDS',
    value: 20,
    doc: 'Rounds without a new member after which a killer no longer waits for those that hang in the kernel (state D): a fork that is under way there fails once SIGKILL is pending.',
  },
  {
    name: 'MAX_KILL_MEMBERS',
    value: 65_536,
    doc: 'Members that a killer keeps, some 5 MB; those beyond are found when others are gone.',
  },
  { name: 'RUSAGE_BLOCK_BYTES', value: 512, doc: 'The unit of `ru_inblock` and `ru_oublock`.' },
  {
    name: 'CGROUP2_SUPER_MAGIC',
    value: 0x63677270,
    doc: 'File system type of cgroup2 (statfs(2)).',
  },
  { name: 'PROC_SUPER_MAGIC', value: 0x9fa0, doc: 'File system type of procfs.' },
  { name: 'MAX_BLOCK_DEPTH', value: 16, doc: 'Block devices that stand on one another.' },
  {
    name: 'MAX_CGROUP_DEPTH',
    value: 64,
    doc: 'Levels of cgroups that are walked below a directory, one descriptor each: deeper than any delegation goes.',
  },
  {
    name: 'MAX_REVIEWER_LINE_BYTES',
    value: 4 * 1024 * 1024,
    doc: 'Bytes of one line of the reviewer log, its newline not counted.',
  },
];

/** Values beyond 2^53: bigints in TypeScript. */
export const BIG_BOUNDS = [
  { name: 'MAX_FRAME_NS', value: 2n ** 63n - 1n, doc: 'INV-TL02: the highest time in a frame.' },
  { name: 'MAX_FRAME_BYTES', value: 2n ** 63n - 1n, doc: 'INV-TL02: the highest size in a frame.' },
  {
    name: 'MAX_FRAME_COUNT',
    value: 2n ** 63n - 1n,
    doc: 'INV-TL02: the highest count in a frame.',
  },
  {
    name: 'BUDGET_MAGIC',
    value: 0x0000_0001_4742_5045n,
    doc: 'Shared memory of a budget: "EPBG", version 1.',
  },
];

export const TIMES = [
  {
    name: 'SETTLE_INTERVAL_NS',
    value: MS,
    doc: 'After the end was seen the counters are read this far apart (docs/kernel.md#the-end-of-an-episode) …',
  },
  {
    name: 'SETTLE_AGREE_NS',
    value: 8n * MS,
    doc: '… until none has moved for this long: two ticks at HZ=250, with which the kernel accounts the dying …',
  },
  {
    name: 'SETTLE_LIMIT_NS',
    value: 10n * MS,
    doc: '… or this has passed: systemd removes its scope within 20 ms of the end.',
  },
  {
    name: 'LINGER_FIRST_NS',
    value: MS,
    doc: 'After the exit of the root the end is looked for this much later, then twice as much later each time …',
  },
  {
    name: 'LINGER_MAX_NS',
    value: 20n * MS,
    doc: '… up to this: `cgroup.events` is rate-limited, and descendants may go on for long.',
  },
  {
    name: 'ENFORCE_LIMIT_NS',
    value: 5_000n * MS,
    doc: 'How long what was told to freeze or to die may take: a process in uninterruptible sleep does neither.',
  },
  {
    name: 'SAMPLER_END_LIMIT_NS',
    value: 1_000n * MS,
    doc: 'How long a thread that ends waits for its sampler to end its episodes.',
  },
  { name: 'MAX_PACER_SLACK_NS', value: MS, doc: 'A deadline is served at most this early.' },
  {
    name: 'BIRTH_REGULAR_NS',
    value: 1_000n * MS,
    doc: 'The lists of children are read at least this often, as far as their share allows.',
  },
  {
    name: 'BLOCK_STACK_PERIOD_NS',
    value: 10_000n * MS,
    doc: 'Which block devices stand on others is looked up this often.',
  },
];
