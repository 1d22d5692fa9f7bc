import type { FrameFigures } from '../schema/frame-values.js';
import type { MetricSources } from './metric-source.js';
import type { O11yFlags } from './o11y-flags.js';
import type { FrameQualities } from './quality.js';

/** The fields of a frame other than its figures. */
export interface FrameHead<N extends number | bigint = number> {
  readonly episodeId: string;
  /** Counts the frames of a session: 0, 1, 2, … */
  readonly seq: N;
  /** CLOCK_MONOTONIC time of the read, in ns. */
  readonly tsMono: N;
  readonly sources: MetricSources;
  readonly quality: FrameQualities;
  readonly o11yFlags: O11yFlags;
}

/** Every field of a frame. */
export interface FrameFields<N extends number | bigint = number>
  extends FrameHead<N>,
    FrameFigures<N> {}
