/** What the frames of a run add up to. */
import type { MetricSource, TelemetryFrame } from '../frame/index.js';
import { CpuTrace } from './sparkline.js';

type Part = 'cpu' | 'memory' | 'io';

/** The first frame that told of an oom kill. */
export interface OomSeen {
  readonly seq: bigint;
  readonly tsMono: bigint;
  /** How long before it the kill was, at most; null where the first frame told of it. */
  readonly lateNs: bigint | null;
}

export interface PartTotal {
  /** The last source that gave a figure. */
  readonly source: MetricSource;
  /** The truth may be higher. */
  readonly lowerBound: boolean;
}

/**
 * Counters are taken from the newest frame that has them, memory as the highest value over all frames: in the
 * terminal frame of a process tree nobody is left whose memory could be read. A command may be over before the
 * first look at it: its memory was not measured then, and is null.
 */
export class Measurement {
  readonly trace: CpuTrace = new CpuTrace();
  frames = 0;
  /** Frames that were overwritten before they were read. */
  missed = 0;
  /** Sample periods that passed without a frame of their own. */
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
  parts: Record<Part, PartTotal> = {
    cpu: { source: 'unavailable', lowerBound: false },
    memory: { source: 'unavailable', lowerBound: false },
    io: { source: 'unavailable', lowerBound: false },
  };
  #lastNs: bigint | null = null;

  add(frame: TelemetryFrame<bigint>): void {
    this.frames += 1;
    this.collectNs += frame.collectNs ?? 0n;
    this.cpuNs = frame.cpuNs ?? this.cpuNs;
    this.cpuUserNs = frame.cpuUserNs ?? this.cpuUserNs;
    this.cpuSystemNs = frame.cpuSystemNs ?? this.cpuSystemNs;
    this.cpuThrottledNs = frame.cpuThrottledNs ?? this.cpuThrottledNs;
    const memory = memoryOf(frame);
    this.memRssMaxBytes = highest(this.memRssMaxBytes, memory.rss);
    this.memCurrentMaxBytes = highest(this.memCurrentMaxBytes, memory.current);
    this.memPeakBytes = highest(this.memPeakBytes, memory.peak);
    this.ioReadBytes = frame.ioReadBytes ?? this.ioReadBytes;
    this.ioWriteBytes = frame.ioWriteBytes ?? this.ioWriteBytes;
    this.oomKills = frame.oomKills ?? this.oomKills;
    if (this.oom === null && (frame.oomKills ?? 0n) > 0n) {
      const lateNs = this.#lastNs === null ? null : frame.tsMono - this.#lastNs;
      this.oom = { seq: frame.seq, tsMono: frame.tsMono, lateNs };
    }
    this.#lastNs = frame.tsMono;
    if (frame.cpuNs !== null) this.trace.add(frame.tsMono, frame.cpuNs);
    for (const part of ['cpu', 'memory', 'io'] as const) {
      const source = frame.sources[part];
      if (source === 'unavailable' || (part === 'memory' && !memory.known)) continue;
      this.parts[part] = { source, lowerBound: frame.quality[part].has('lowerBound') };
    }
  }
}

/** The memory that a frame tells. A 0 that was read when nobody lived any more is the sum over nobody: none. */
function memoryOf(frame: TelemetryFrame<bigint>) {
  const nobody = frame.pids === 0n || frame.o11yFlags.terminal;
  const told = (value: bigint | null) => (value === 0n && nobody ? null : value);
  const rss = told(frame.memRssBytes);
  const current = told(frame.memCurrentBytes);
  const peak = told(frame.memPeakBytes);
  return { rss, current, peak, known: rss !== null || current !== null || peak !== null };
}

function highest(before: bigint | null, value: bigint | null): bigint | null {
  if (value === null) return before;
  return before === null || value > before ? value : before;
}
