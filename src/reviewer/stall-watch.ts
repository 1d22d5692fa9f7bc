import type { TelemetryFrame } from '../frame/index.js';

/** Detects from an episode's frames that it has used no cpu and done no io for some time. */
export class StallWatch {
  readonly #afterNs: number;
  /** The first frame with these figures. */
  #since: TelemetryFrame | null = null;
  #isTold = false;

  constructor(stallAfterMs: number) {
    this.#afterNs = stallAfterMs * 1_000_000;
  }

  /** Returns the idle ns, once per stall; otherwise null. A frame without fresh cpu time is ignored. */
  see(frame: TelemetryFrame): number | null {
    if (frame.cpuNs === null || frame.quality.cpu.has('stale')) return null;
    if (this.#since === null || hasUsed(this.#since, frame)) {
      this.#since = frame;
      this.#isTold = false;
      return null;
    }
    const idleNs = frame.tsMono - this.#since.tsMono;
    if (this.#isTold || idleNs < this.#afterNs) return null;
    this.#isTold = true;
    return idleNs;
  }
}

/** The counters only grow. Without io figures cpu alone decides, because io costs cpu time. */
function hasUsed(before: TelemetryFrame, after: TelemetryFrame): boolean {
  return (
    after.cpuNs !== before.cpuNs ||
    differs(before.ioReadBytes, after.ioReadBytes) ||
    differs(before.ioWriteBytes, after.ioWriteBytes)
  );
}

function differs(before: number | null, after: number | null): boolean {
  return before !== null && after !== null && before !== after;
}
