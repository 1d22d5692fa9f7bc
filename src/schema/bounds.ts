// Generated from schema/ by `npm run schema`: do not edit.

/** Maximum length of an episode id, in characters. */
export const MAX_EPISODE_ID_LENGTH = 128;

/** INV-TL04: maximum length of a cgroup path, in bytes. Longer paths are refused. */
export const MAX_CGROUP_PATH_LEN = 4096;

/** INV-TL05: maximum number of bytes read from a telemetry file. */
export const MAX_TELEMETRY_FILE_SIZE = 65536;

/** INV-TL07: minimum number of frames that a reader of a ring can see. */
export const MIN_RING_BUFFER_CAPACITY = 1;

/** INV-TL07: maximum number of frames that a reader of a ring can see. */
export const MAX_RING_BUFFER_CAPACITY = 65536;

/** Maximum number of tripwires of a session. */
export const MAX_TRIPWIRES = 16;

/** Maximum number of warnings pending for the owner: one for each file of a reading. */
export const MAX_WARNINGS = 14;

/** Maximum number of source changes, and of trips, pending for the owner. The oldest are dropped. */
export const MAX_KEPT_NEWS = 64;

/** Passed with the frame flags of a sample: publish nothing if the episode has ended. */
export const SAMPLE_HOLD_IF_ENDED = 256;

/** How often a read resumes after the writer has overtaken it. */
export const MAX_RING_RESUMES = 8;

/** How often a read of the newest frame is retried. Only a corrupt ring reaches this limit. */
export const MAX_LATEST_TRIES = 100000;

/** A deadline may be served early by at most the period divided by this. */
export const PACER_SLACK_SHARE = 64;

/** Up to this number of child lists, every sample reads them all. */
export const BIRTH_FEW_LISTS = 64;

/** Checking one newly assigned pid costs about as much as reading this many child lists. */
export const BIRTH_LISTS_PER_BIRTH = 8;

/** If too many pids were assigned, reading the child lists takes at most 1/n of the time, n being this value. */
export const BIRTH_FORCED_SHARE = 20;

/** Same, if the newly assigned pids can be checked. */
export const BIRTH_REGULAR_SHARE = 50;

/** How long a killer waits for processes that get no cpu time, first to stop and then to die. */
export const KILL_LIMIT_MS = 5000;

/** Pause of a killer between two checks. */
export const KILL_PAUSE_MS = 1;

/** Time within which processes die after a write to `cgroup.kill` (p99: 1.8 ms). */
export const KILL_OUTLIVE_MS = 20;

/**
 * Number of rounds without a new member after which a killer no longer waits for members in uninterruptible sleep
 * (state D): a fork in progress there fails once SIGKILL is pending.
 */
export const KILL_PATIENCE_ROUNDS = 20;

/**
 * Maximum number of members that a killer tracks, which take about 5 MB. It finds further ones after these have exited.
 */
export const MAX_KILL_MEMBERS = 65536;

/** Unit of `ru_inblock` and `ru_oublock`. */
export const RUSAGE_BLOCK_BYTES = 512;

/** File system type of cgroup2 (statfs(2)). */
export const CGROUP2_SUPER_MAGIC = 1667723888;

/** File system type of procfs. */
export const PROC_SUPER_MAGIC = 40864;

/** Maximum depth of stacked block devices. */
export const MAX_BLOCK_DEPTH = 16;

/** Maximum depth of cgroups walked below a directory, with one descriptor per level. No delegation is that deep. */
export const MAX_CGROUP_DEPTH = 64;

/** Maximum size of a line of the reviewer log in bytes, without its newline. */
export const MAX_REVIEWER_LINE_BYTES = 4194304;

/** INV-TL02: maximum time in a frame. */
export const MAX_FRAME_NS = 9223372036854775807n;

/** INV-TL02: maximum size in a frame. */
export const MAX_FRAME_BYTES = 9223372036854775807n;

/** INV-TL02: maximum count in a frame. */
export const MAX_FRAME_COUNT = 9223372036854775807n;

/** First word of the shared memory of a budget: "EPBG", version 1. */
export const BUDGET_MAGIC = 5490495557n;

/** After the end of an episode, the counters are read at this interval (docs/kernel.md#the-end-of-an-episode) … */
export const SETTLE_INTERVAL_NS = 1000000n;

/**
 * … until they have not changed for this long, which is two ticks at HZ=250: the kernel accounts exiting tasks by tick
 * …
 */
export const SETTLE_AGREE_NS = 8000000n;

/** … or until this has passed, because systemd removes a scope within 20 ms of its end. */
export const SETTLE_LIMIT_NS = 10000000n;

/** After the root exits, the end of the episode is checked after this delay, which is doubled each time … */
export const LINGER_FIRST_NS = 1000000n;

/** … up to this delay: notifications of `cgroup.events` are rate-limited, and descendants can run for a long time. */
export const LINGER_MAX_NS = 20000000n;

/** How long to wait for a freeze or a kill to complete: a process in uninterruptible sleep reacts to neither. */
export const ENFORCE_LIMIT_NS = 5000000000n;

/** How long an exiting thread waits for its sampler to end its episodes. */
export const SAMPLER_END_LIMIT_NS = 1000000000n;

/** Maximum time by which a deadline may be served early. */
export const MAX_PACER_SLACK_NS = 1000000n;

/** Maximum interval between two reads of the child lists, unless their share of the time forbids it. */
export const BIRTH_REGULAR_NS = 1000000000n;

/** Interval at which the stacking of block devices is read again. */
export const BLOCK_STACK_PERIOD_NS = 10000000000n;
