/** Frames: what an episode had consumed at one moment, with flags, sources, qualities and JSON forms. */
export { MAX_FRAME_BYTES, MAX_FRAME_NS } from '../schema/bounds.js';
export type { FrameMetrics, FramePart, FramePressure } from '../schema/metrics.js';
export { TelemetryFrameBuilder } from './builder.js';
export type { FrameFields } from './fields.js';
export { TelemetryFrame } from './frame.js';
export { MetricSource, type MetricSources } from './metric-source.js';
export type { FrameJson } from './ndjson.js';
export { O11yFlags, type O11yFlagsInit, type O11yFlagsJson } from './o11y-flags.js';
export type { FrameQualities, FrameQuality } from './quality.js';
