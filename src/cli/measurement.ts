/** Sums up the frames of a run. */
import type { FrameQuality, MetricSource, TelemetryFrame } from '../frame/index.js';
import { CpuTrace } from './sparkline.js';

type Part = 'cpu' | 'memory' | 'io';

/** The first frame that reported an oom kill. */
export interface OomSeen {
  readonly seq: bigint;
  readonly tsMono: bigint;
  /** How long before that frame the kill happened, at most; null if the first frame of the run reported it. */
  readonly lateNs: bigint | null;
}

export interface PartTotal {
  /** The last source that gave a figure. */
  readonly source: MetricSource;
  readonly quality: ReadonlySet<FrameQuality>;
}

/** The totals of a cgroup. */
export interface CgroupTotals {
  readonly cpuNs: bigint | null;
  readonly io: { readonly readBytes: bigint; readonly writeBytes: bigint } | null;
  readonly memoryPeakBytes: bigint | null;
}

const FINAL: ReadonlySet<FrameQuality> = new Set(['final']);
const LOWER_BOUND: ReadonlySet<FrameQuality> = new Set(['lowerBound']);
const UNMEASURED: PartTotal = { source: 'unavailable', quality: new Set() };

/**
 * Counters are taken from the newest frame that has them, memory as the highest value over all frames: at the terminal
 * frame of a process tree no process is left whose memory could be read. A command may end before its first sample, or
 * be sampled only once, before it has begun: its memory was then not measured and is null.
 */
export class Measurement {
  readonly trace: CpuTrace = new CpuTrace();
  frames = 0;
  /** Frames that were overwritten before they were read. */
  missed = 0;
  /** Sample periods that passed without a frame. */
  deadlinesMissed = 0;
  collectNs = 0n;
  cpuNs: bigint | null = null;
  cpuUserNs: bigint | null = null;
  cpuSystemNs: bigint | null = null;
  cpuThrottledNs: bigint | null = null;
  memRssMaxBytes: bigint | null = null;
  memCurrentMaxBytes: bigint | null = null;
  memPeakBytes: bigint | null = null;
  ioReadBytes: bigint | null = null;
  ioWriteBytes: bigint | null = null;
  oomKills: bigint | null = null;
  oom: OomSeen | null = null;
  parts: Record<Part, PartTotal> = { cpu: UNMEASURED, memory: UNMEASURED, io: UNMEASURED };
  #lastNs: bigint | null = null;
  /** The memory of the processes at the start; null once later frames have memory. */
  #firstMemory: FrameMemory | null = null;
  #memoryLowerBound = false;

  add(frame: TelemetryFrame<bigint>): void {
    this.frames += 1;
    this.collectNs += frame.collectNs ?? 0n;
    this.cpuNs = frame.cpuNs ?? this.cpuNs;
    this.cpuUserNs = frame.cpuUserNs ?? this.cpuUserNs;
    this.cpuSystemNs = frame.cpuSystemNs ?? this.cpuSystemNs;
    this.cpuThrottledNs = frame.cpuThrottledNs ?? this.cpuThrottledNs;
    this.#addMemory(frame);
    this.ioReadBytes = frame.ioReadBytes ?? this.ioReadBytes;
    this.ioWriteBytes = frame.ioWriteBytes ?? this.ioWriteBytes;
    this.oomKills = frame.oomKills ?? this.oomKills;
    if (this.oom === null && (frame.oomKills ?? 0n) > 0n) {
      const lateNs = this.#lastNs === null ? null : frame.tsMono - this.#lastNs;
      this.oom = { seq: frame.seq, tsMono: frame.tsMono, lateNs };
    }
    this.#lastNs = frame.tsMono;
    if (frame.cpuNs !== null) this.trace.add(frame.tsMono, frame.cpuNs);
    for (const part of ['cpu', 'io'] as const) {
      const source = frame.sources[part];
      if (source !== 'unavailable') this.parts[part] = { source, quality: frame.quality[part] };
    }
  }

  /** The highest rss of a single process, which the kernel reports at its end. */
  addPeakOfProcess(bytes: bigint): void {
    if (this.parts.memory.source === 'cgroup') return;
    this.#takeMemory({ rss: null, current: null, peak: bytes });
    this.#setMemoryOfProcesses();
  }

  /**
   * Adds what the whole cgroup had used when it ended, as systemd reports; a value that it does not report is null.
   * Final values that were read from the cgroup itself are kept.
   */
  settle({ cpuNs, io, memoryPeakBytes }: CgroupTotals): void {
    if (cpuNs !== null && this.#settles('cpu', FINAL)) this.cpuNs = highest(this.cpuNs, cpuNs);
    // systemd keeps its last reading, which in older releases is from the last query while the scope lived.
    if (io !== null && this.#settles('io', LOWER_BOUND)) {
      this.ioReadBytes = highest(this.ioReadBytes, io.readBytes);
      this.ioWriteBytes = highest(this.ioWriteBytes, io.writeBytes);
    }
    if (memoryPeakBytes !== null && this.#settles('memory', FINAL)) {
      this.memPeakBytes = highest(this.memPeakBytes, memoryPeakBytes);
    }
  }

  /**
   * Compares io with the bytes that the command dirtied; null if unknown. A cgroup counts these bytes when they are
   * written back: a smaller count is only a lower bound.
   */
  judgeWritten(dirtiedBytes: bigint | null): void {
    const { source } = this.parts.io;
    if (source !== 'cgroup' || this.ioWriteBytes === null) return;
    const isWhole = dirtiedBytes !== null && dirtiedBytes <= this.ioWriteBytes;
    if (!isWhole) this.parts.io = { source, quality: LOWER_BOUND };
  }

  #settles(part: Part, settled: PartTotal['quality']): boolean {
    const { source, quality } = this.parts[part];
    if (source === 'cgroup' && quality.has('final')) return false;
    this.parts[part] = { source: 'cgroup', quality: settled };
    return true;
  }

  #addMemory(frame: TelemetryFrame<bigint>): void {
    const memory = memoryOf(frame);
    if (memory === null) return;
    const { memory: source } = frame.sources;
    const quality = frame.quality.memory;
    if (source === 'cgroup') {
      this.#takeMemory(memory);
      this.parts.memory = { source, quality };
      return;
    }
    this.#memoryLowerBound ||= quality.has('lowerBound');
    if (frame.o11yFlags.initial) {
      this.#firstMemory = memory;
      return;
    }
    // Stale memory was added before, except a peak that was reported only at the end.
    const isCarried = quality.has('stale') && !isHigher(memory.peak, this.#highestPeak);
    if (isCarried) return;
    this.#takeMemory(memory);
    this.#setMemoryOfProcesses();
  }

  get #highestPeak(): bigint | null {
    return highest(this.memPeakBytes, this.#firstMemory?.peak ?? null);
  }

  #takeMemory(memory: FrameMemory): void {
    for (const { rss, current, peak } of [this.#firstMemory ?? memory, memory]) {
      this.memRssMaxBytes = highest(this.memRssMaxBytes, rss);
      this.memCurrentMaxBytes = highest(this.memCurrentMaxBytes, current);
      this.memPeakBytes = highest(this.memPeakBytes, peak);
    }
    this.#firstMemory = null;
  }

  /** The kernel keeps no peak for a sum over processes, so a peak between two samples is missed. */
  #setMemoryOfProcesses(): void {
    this.parts.memory = { source: 'proc', quality: LOWER_BOUND };
  }

  /** Whether some samples missed processes. */
  get memoryIncomplete(): boolean {
    return this.#memoryLowerBound;
  }
}

interface FrameMemory {
  readonly rss: bigint | null;
  readonly current: bigint | null;
  readonly peak: bigint | null;
}

/**
 * Returns the memory in a frame; null if it has none. A 0 that was read when no process was left is an empty sum, not a
 * measurement.
 */
function memoryOf(frame: TelemetryFrame<bigint>): FrameMemory | null {
  if (frame.sources.memory === 'unavailable') return null;
  const nobody = frame.pids === 0n || frame.o11yFlags.terminal;
  const told = (value: bigint | null) => (value === 0n && nobody ? null : value);
  const rss = told(frame.memRssBytes);
  const current = told(frame.memCurrentBytes);
  const peak = told(frame.memPeakBytes);
  return rss === null && current === null && peak === null ? null : { rss, current, peak };
}

function isHigher(value: bigint | null, than: bigint | null): boolean {
  return value !== null && (than === null || value > than);
}

function highest(before: bigint | null, value: bigint | null): bigint | null {
  if (value === null) return before;
  return before === null || value > before ? value : before;
}
