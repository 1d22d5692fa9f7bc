// Generated from schema/ by `npm run schema`: do not edit.

/** Characters of an episode id. */
export const MAX_EPISODE_ID_LENGTH = 128;

/** INV-TL04: bytes of a cgroup path; a longer one is refused. */
export const MAX_CGROUP_PATH_LEN = 4096;

/** INV-TL05: no telemetry file is read beyond this many bytes. */
export const MAX_TELEMETRY_FILE_SIZE = 65536;

/** INV-TL07: frames that the reader of a ring may see. */
export const MIN_RING_BUFFER_CAPACITY = 1;

/** INV-TL07: frames that the reader of a ring may see. */
export const MAX_RING_BUFFER_CAPACITY = 65536;

/** Tripwires of one session. */
export const MAX_TRIPWIRES = 16;

/** Warnings that wait for their owner: one for each file of a reading. */
export const MAX_WARNINGS = 14;

/** Source changes, and trips, that wait for their owner; of more the newest are kept. */
export const MAX_KEPT_NEWS = 64;

/** Beside the frame flags of a sample: publish nothing when the episode has ended. */
export const SAMPLE_HOLD_IF_ENDED = 256;

/** How often one read starts over behind a writer that keeps overtaking it. */
export const MAX_RING_RESUMES = 8;

/** The same for the newest frame alone; only a corrupt ring uses them up. */
export const MAX_LATEST_TRIES = 100000;

/** A deadline may be served early by the period divided by this. */
export const PACER_SLACK_SHARE = 64;

/** So few lists of children are read at every sample. */
export const BIRTH_FEW_LISTS = 64;

/** Looking at one pid that was handed out costs as much as reading this many lists. */
export const BIRTH_LISTS_PER_BIRTH = 8;

/** Where too much was born, the lists are read for at most one part in this of the time. */
export const BIRTH_FORCED_SHARE = 20;

/** Else for at most one part in this. */
export const BIRTH_REGULAR_SHARE = 50;

/** How long a killer waits for processes that get no cpu, first to stop and then to die. */
export const KILL_LIMIT_MS = 5000;

/** A killer looks again after this pause. */
export const KILL_PAUSE_MS = 1;

/** What `cgroup.kill` reaches is dead within this time (p99: 1.8 ms). */
export const KILL_OUTLIVE_MS = 20;

/**
 * Rounds without a new member after which a killer no longer waits for those that hang in the kernel (state D): a fork
 * that is under way there fails once SIGKILL is pending.
 */
export const KILL_PATIENCE_ROUNDS = 20;

/** Members that a killer keeps, some 5 MB; those beyond are found when others are gone. */
export const MAX_KILL_MEMBERS = 65536;

/** The unit of `ru_inblock` and `ru_oublock`. */
export const RUSAGE_BLOCK_BYTES = 512;

/** File system type of cgroup2 (statfs(2)). */
export const CGROUP2_SUPER_MAGIC = 1667723888;

/** File system type of procfs. */
export const PROC_SUPER_MAGIC = 40864;

/** Block devices that stand on one another. */
export const MAX_BLOCK_DEPTH = 16;

/** Levels of cgroups that are walked below a directory, one descriptor each: deeper than any delegation goes. */
export const MAX_CGROUP_DEPTH = 64;

/** Bytes of one line of the reviewer log, its newline not counted. */
export const MAX_REVIEWER_LINE_BYTES = 4194304;

/** INV-TL02: the highest time in a frame. */
export const MAX_FRAME_NS = 9223372036854775807n;

/** INV-TL02: the highest size in a frame. */
export const MAX_FRAME_BYTES = 9223372036854775807n;

/** INV-TL02: the highest count in a frame. */
export const MAX_FRAME_COUNT = 9223372036854775807n;

/** Shared memory of a budget: "EPBG", version 1. */
export const BUDGET_MAGIC = 5490495557n;

/** After the end was seen the counters are read this far apart (docs/kernel.md#the-end-of-an-episode) … */
export const SETTLE_INTERVAL_NS = 1000000n;

/** … until none has moved for this long: two ticks at HZ=250, with which the kernel accounts the dying … */
export const SETTLE_AGREE_NS = 8000000n;

/** … or this has passed: systemd removes its scope within 20 ms of the end. */
export const SETTLE_LIMIT_NS = 10000000n;

/** After the exit of the root the end is looked for this much later, then twice as much later each time … */
export const LINGER_FIRST_NS = 1000000n;

/** … up to this: `cgroup.events` is rate-limited, and descendants may go on for long. */
export const LINGER_MAX_NS = 20000000n;

/** How long what was told to freeze or to die may take: a process in uninterruptible sleep does neither. */
export const ENFORCE_LIMIT_NS = 5000000000n;

/** How long a thread that ends waits for its sampler to end its episodes. */
export const SAMPLER_END_LIMIT_NS = 1000000000n;

/** A deadline is served at most this early. */
export const MAX_PACER_SLACK_NS = 1000000n;

/** The lists of children are read at least this often, as far as their share allows. */
export const BIRTH_REGULAR_NS = 1000000000n;

/** Which block devices stand on others is looked up this often. */
export const BLOCK_STACK_PERIOD_NS = 10000000000n;
