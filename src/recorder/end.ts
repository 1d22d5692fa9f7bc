/** The last line of a recording: the totals of the session and why it ended. */

import { EXHAUSTIBLE } from '../budget/resources.js';
import type { ExhaustedEvent, StopReason } from '../collector/events.js';
import type { EndEntry } from '../collector/frame-sink.js';
import { invalidConfig } from '../error/index.js';
import {
  type FrameMetrics,
  type FramePart,
  type FrameQualities,
  type FrameQuality,
  MetricSource,
  type MetricSources,
} from '../frame/index.js';
import { qualityFromBits, qualityToBits } from '../frame/quality.js';
import { stringifyExact } from '../ndjson/exact-json.js';
import { snakeCase } from '../ndjson/snake-case.js';
import { EXHAUST_ACTIONS } from '../schema/enumerations.js';
import { METRICS } from '../schema/metrics.js';
import { EPISODE_ID } from './header.js';
import {
  AMOUNT,
  COUNT,
  EXACT,
  listOf,
  nullOr,
  objectOf,
  oneOf,
  type Shape,
  TEXT,
} from './shape.js';

const TOTALS = METRICS.filter(({ kind }) => kind !== 'gauge');

/**
 * The counters and the peak of the terminal frame, without gauges and the cost of taking one frame; an absent value is
 * null.
 */
export type RecordingTotals<N extends number | bigint = number> = Omit<
  FrameMetrics<N>,
  'memRssBytes' | 'memCurrentBytes' | 'pids' | 'collectNs'
>;

export interface RecordingEnd<N extends number | bigint = number>
  extends Omit<EndEntry, 'kind' | 'frame' | 'wallNs'> {
  /** Wall time of the session, ns. */
  readonly wallNs: N;
  /** The promoted frames that were written, including those in files that have been dropped since. */
  readonly framesRecorded: number;
  /** Frames that the ring no longer held, or that could not be written. */
  readonly framesMissed: number;
  readonly totals: RecordingTotals<N>;
  /** The sources of the totals. */
  readonly sources: MetricSources;
  readonly quality: FrameQualities;
}

/** The number of frames of a session that were recorded, and of those that were not. */
export interface RecordedFrames {
  readonly recorded: number;
  readonly missed: number;
}

const STOP_REASONS: readonly StopReason[] = ['stop', 'exit', 'exhausted', 'failed'];

/** An object with one value for each part of the frame. */
function ofParts<T>(
  name: string,
  { write, read }: Shape<T>,
): Shape<Readonly<Record<FramePart, T>>> {
  const part = { write, read: (key: string, value: unknown) => read(`${name}.${key}`, value) };
  return objectOf({ cpu: part, memory: part, io: part });
}

const QUALITY: Shape<ReadonlySet<FrameQuality>> = {
  write: (quality) => [...quality],
  // qualityToBits throws for unknown names.
  read: (name, value) =>
    qualityFromBits(qualityToBits(listOf(TEXT).read(name, value) as FrameQuality[])),
};

const EXHAUSTED = objectOf<ExhaustedEvent>({
  resource: {
    write: snakeCase,
    read: (_, value) => {
      const resource = EXHAUSTIBLE.find((each) => snakeCase(each) === value);
      if (resource === undefined) throw invalidConfig('resource must be what can be exhausted');
      return resource;
    },
  },
  limit: AMOUNT,
  consumed: AMOUNT,
  seq: COUNT,
  tsMono: COUNT,
  lateNs: nullOr(AMOUNT),
  action: oneOf(EXHAUST_ACTIONS),
});

function endShape<N extends number | bigint>(integer: Shape<N>) {
  const totals = TOTALS.map(({ name }) => [name, nullOr(integer)]);
  return objectOf<RecordingEnd<N> & { kind: string }>({
    kind: oneOf(['end']),
    episodeId: EPISODE_ID,
    reason: oneOf(STOP_REASONS),
    wallNs: integer,
    framesCollected: COUNT,
    framesPromoted: COUNT,
    framesRecorded: COUNT,
    framesMissed: COUNT,
    totals: objectOf<RecordingTotals<N>>(Object.fromEntries(totals)),
    sources: ofParts('sources', oneOf(Object.values(MetricSource))),
    quality: ofParts('quality', QUALITY),
    exhausted: nullOr(EXHAUSTED),
  });
}

const END = endShape(EXACT);

/** Returns the line without its newline. */
export function endLine(entry: EndEntry, { recorded, missed }: RecordedFrames): string {
  const { frame } = entry;
  const { sources, quality } = frame;
  const frames = { framesRecorded: recorded, framesMissed: missed };
  return stringifyExact(END.write({ ...entry, ...frames, totals: frame, sources, quality }));
}

/** Returns the end, its numbers in the wanted mode. Throws the errors of `shape.ts` and `ERR_INVALID_EPISODE_ID`. */
export function endFromJson<N extends number | bigint>(
  value: unknown,
  inMode: (exact: bigint) => N,
): RecordingEnd<N> {
  const integer: Shape<N> = {
    write: (exact) => exact,
    read: (name, given) => inMode(EXACT.read(name, given)),
  };
  const { kind: _, ...end } = endShape(integer).read('the end line', value);
  return end;
}
