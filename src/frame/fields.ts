import type { FrameFigures } from '../schema/frame-values.js';
import type { MetricSources } from './metric-source.js';
import type { O11yFlags } from './o11y-flags.js';
import type { FrameQualities } from './quality.js';

/** What a frame has beside its figures. */
export interface FrameHead<N extends number | bigint = number> {
  readonly episodeId: string;
  /** 0, 1, 2, … in its session. */
  readonly seq: N;
  /** CLOCK_MONOTONIC at the read, ns. */
  readonly tsMono: N;
  readonly sources: MetricSources;
  readonly quality: FrameQualities;
  readonly o11yFlags: O11yFlags;
}

/** Every field of a frame. */
export interface FrameFields<N extends number | bigint = number>
  extends FrameHead<N>,
    FrameFigures<N> {}
