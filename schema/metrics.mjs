/**
 * Declares every metric of a frame, one row each. `npm run schema` generates the C++ and TypeScript sources and the
 * table of docs/numbers.md from it.
 *
 * To add a metric, append a row with the next free word, and add one line to the parser of its kernel file in each
 * engine. CONTRIBUTING.md describes the steps.
 */

/** The parts of a reading. Each part has one source and is available or unavailable as a whole. */
export const PARTS = [
  { name: 'cpu', doc: 'cpu time' },
  { name: 'memory', doc: 'memory and page faults' },
  { name: 'io', doc: 'storage io' },
  { name: 'extra', doc: 'oom kills, tasks, pressure; an absent value is not a failure' },
];

/**
 * @typedef {object} Metric
 * @property {string} name      Property of a frame, ending with its unit.
 * @property {string} key       Key in JSON.
 * @property {string} part      Part that it belongs to (`PARTS`); null if it describes the frame itself.
 * @property {number} word      Word in the ring slot.
 * @property {'ns' | 'bytes' | 'count'} unit
 * @property {'counter' | 'gauge' | 'peak'} kind  A counter never decreases; a peak is the highest value of a gauge.
 * @property {string} doc       Docstring, and description in docs/numbers.md.
 * @property {string} file      Kernel file in the cgroup.
 * @property {string} fileKey   Key in that file; '' if the file is a single number.
 * @property {string} since     First Linux release that provides it.
 * @property {string} [proc]    Source in /proc; absent if /proc does not provide it.
 * @property {boolean} [wire]   Belongs to the twelve-field JSON form, which the contract fixes.
 * @property {boolean} [pressure]  Is a property of `frame.pressure`.
 * @property {string} [stats]   Property of CpuStats, MemoryStats or IoStats.
 */

/** @type {Metric[]} */
// biome-ignore format: a table with one metric per row
export const METRICS = [
  { name: 'cpuNs', key: 'cpu_ns', part: 'cpu', word: 5, unit: 'ns', kind: 'counter', wire: true, stats: 'usageNs',
    file: 'cpu.stat', fileKey: 'usage_usec', since: '4.15', proc: 'stat: utime + stime + cutime + cstime',
    doc: 'Cpu time, user and system. Never below `cpuUserNs + cpuSystemNs`.' },
  { name: 'cpuUserNs', key: 'cpu_user_ns', part: 'cpu', word: 6, unit: 'ns', kind: 'counter', wire: true, stats: 'userNs',
    file: 'cpu.stat', fileKey: 'user_usec', since: '4.15', proc: 'stat: utime + cutime',
    doc: 'Cpu time in user mode.' },
  { name: 'cpuSystemNs', key: 'cpu_system_ns', part: 'cpu', word: 7, unit: 'ns', kind: 'counter', wire: true, stats: 'systemNs',
    file: 'cpu.stat', fileKey: 'system_usec', since: '4.15', proc: 'stat: stime + cstime',
    doc: 'Cpu time in the kernel.' },
  { name: 'memRssBytes', key: 'mem_rss_bytes', part: 'memory', word: 8, unit: 'bytes', kind: 'gauge', wire: true, stats: 'rssBytes',
    file: 'memory.stat', fileKey: 'anon', since: '4.5', proc: 'statm: Σ (resident − shared)',
    doc: 'Anonymous memory.' },
  { name: 'memPeakBytes', key: 'mem_peak_bytes', part: 'memory', word: 9, unit: 'bytes', kind: 'peak', wire: true, stats: 'peakBytes',
    file: 'memory.peak', fileKey: '', since: '5.19', proc: 'highest Σ rss seen, status: VmHWM',
    doc: 'Highest memory usage of the cgroup, page cache included; the highest value seen if the kernel has no such file. Never below `memRssBytes`.' },
  { name: 'ioReadBytes', key: 'io_read_bytes', part: 'io', word: 10, unit: 'bytes', kind: 'counter', wire: true, stats: 'readBytes',
    file: 'io.stat', fileKey: 'rbytes', since: '4.5', proc: 'io: read_bytes',
    doc: 'Bytes read from storage. Each byte is counted once, however many block devices are stacked.' },
  { name: 'ioWriteBytes', key: 'io_write_bytes', part: 'io', word: 11, unit: 'bytes', kind: 'counter', wire: true, stats: 'writeBytes',
    file: 'io.stat', fileKey: 'wbytes', since: '4.5', proc: 'io: write_bytes',
    doc: 'Bytes written to storage. A buffered write counts when it is written back.' },
  { name: 'memCurrentBytes', key: 'mem_current_bytes', part: 'memory', word: 12, unit: 'bytes', kind: 'gauge', stats: 'currentBytes',
    file: 'memory.current', fileKey: '', since: '4.5',
    doc: 'All memory charged to the cgroup, page cache included.' },
  { name: 'pageFaultsMajor', key: 'page_faults_major', part: 'memory', word: 13, unit: 'count', kind: 'counter', stats: 'pageFaultsMajor',
    file: 'memory.stat', fileKey: 'pgmajfault', since: '4.12', proc: 'stat: majflt + cmajflt',
    doc: 'Page faults that had to wait for storage.' },
  { name: 'pageFaultsMinor', key: 'page_faults_minor', part: 'memory', word: 14, unit: 'count', kind: 'counter', stats: 'pageFaultsMinor',
    file: 'memory.stat', fileKey: 'pgfault', since: '4.12', proc: 'stat: minflt + cminflt',
    doc: 'Page faults that did not wait for storage: `pgfault` − `pgmajfault`.' },
  { name: 'ioReadOps', key: 'io_read_ops', part: 'io', word: 15, unit: 'count', kind: 'counter', stats: 'readOps',
    file: 'io.stat', fileKey: 'rios', since: '4.5',
    doc: 'Read operations on storage.' },
  { name: 'ioWriteOps', key: 'io_write_ops', part: 'io', word: 16, unit: 'count', kind: 'counter', stats: 'writeOps',
    file: 'io.stat', fileKey: 'wios', since: '4.5',
    doc: 'Write operations on storage.' },
  { name: 'cpuThrottledNs', key: 'cpu_throttled_ns', part: 'cpu', word: 17, unit: 'ns', kind: 'counter', stats: 'throttledNs',
    file: 'cpu.stat', fileKey: 'throttled_usec', since: '4.15',
    doc: 'Time during which `cpu.max` throttled the cgroup; absent without the cpu controller.' },
  { name: 'cpuNrThrottled', key: 'cpu_nr_throttled', part: 'cpu', word: 18, unit: 'count', kind: 'counter', stats: 'nrThrottled',
    file: 'cpu.stat', fileKey: 'nr_throttled', since: '4.15',
    doc: 'Periods in which `cpu.max` throttled the cgroup; absent without the cpu controller.' },
  { name: 'oomKills', key: 'oom_kills', part: 'extra', word: 19, unit: 'count', kind: 'counter',
    file: 'memory.events', fileKey: 'oom_kill', since: '4.13',
    doc: 'Processes that the OOM killer killed.' },
  { name: 'pids', key: 'pids', part: 'extra', word: 20, unit: 'count', kind: 'gauge',
    file: 'pids.current', fileKey: '', since: '4.5', proc: 'stat: Σ num_threads',
    doc: 'Number of tasks, that is processes and threads.' },
  { name: 'cpuSomeNs', key: 'cpu_some_ns', part: 'extra', word: 21, unit: 'ns', kind: 'counter', pressure: true,
    file: 'cpu.pressure', fileKey: 'some total', since: '4.20',
    doc: 'Time during which at least one task waited for a cpu.' },
  { name: 'memorySomeNs', key: 'memory_some_ns', part: 'extra', word: 22, unit: 'ns', kind: 'counter', pressure: true,
    file: 'memory.pressure', fileKey: 'some total', since: '4.20',
    doc: 'Time during which at least one task waited for memory.' },
  { name: 'memoryFullNs', key: 'memory_full_ns', part: 'extra', word: 23, unit: 'ns', kind: 'counter', pressure: true,
    file: 'memory.pressure', fileKey: 'full total', since: '4.20',
    doc: 'Time during which all tasks waited for memory at once.' },
  { name: 'ioSomeNs', key: 'io_some_ns', part: 'extra', word: 24, unit: 'ns', kind: 'counter', pressure: true,
    file: 'io.pressure', fileKey: 'some total', since: '4.20',
    doc: 'Time during which at least one task waited for storage.' },
  { name: 'ioFullNs', key: 'io_full_ns', part: 'extra', word: 25, unit: 'ns', kind: 'counter', pressure: true,
    file: 'io.pressure', fileKey: 'full total', since: '4.20',
    doc: 'Time during which all tasks waited for storage at once.' },
  { name: 'collectNs', key: 'collect_ns', part: null, word: 26, unit: 'ns', kind: 'gauge',
    file: '', fileKey: '', since: '',
    doc: 'Time that taking this frame took.' },
];
