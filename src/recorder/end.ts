/** The last line of a recording: the totals of the session and why it ended. */

import { EXHAUSTIBLE } from '../budget/resources.js';
import type { ExhaustedEvent, StopReason } from '../collector/events.js';
import type { EndEntry } from '../collector/frame-sink.js';
import { assertEpisodeId } from '../episode/index.js';
import { invalidConfig } from '../error/index.js';
import {
  type FrameMetrics,
  type FrameQualities,
  type FrameQuality,
  MetricSource,
  type MetricSources,
} from '../frame/index.js';
import { qualityFromBits, qualityToBits } from '../frame/quality.js';
import { type ExactJson, stringifyExact } from '../ndjson/exact-json.js';
import { snakeCase } from '../ndjson/snake-case.js';
import { EXHAUST_ACTIONS } from '../schema/enumerations.js';
import { FRAME_PARTS, METRICS } from '../schema/metrics.js';
import { amountOf, countOf, exactOf, listOf, nullOr, objectOf, oneOf } from './shape.js';

const TOTALS = METRICS.filter(({ kind }) => kind !== 'gauge');

/**
 * The counters and the peak of the terminal frame, without gauges and the cost of taking one frame; null where one is
 * absent.
 */
export type RecordingTotals<N extends number | bigint = number> = Omit<
  FrameMetrics<N>,
  'memRssBytes' | 'memCurrentBytes' | 'pids' | 'collectNs'
>;

export interface RecordingEnd<N extends number | bigint = number> {
  readonly episodeId: string;
  readonly reason: StopReason;
  /** Wall time of the session, ns. */
  readonly wallNs: N;
  /** Frames that were taken. */
  readonly framesCollected: number;
  /** Of those, the frames that were promoted: handed to the recorder. */
  readonly framesPromoted: number;
  /** Of those, the frames that were written. Files that were dropped since held their share. */
  readonly framesRecorded: number;
  /** Frames that the ring no longer held, or that could not be written. */
  readonly framesMissed: number;
  readonly totals: RecordingTotals<N>;
  /** Where the totals come from. */
  readonly sources: MetricSources;
  readonly quality: FrameQualities;
  /** The exhausted budget, null where none was. */
  readonly exhausted: ExhaustedEvent | null;
}

/** How many frames of a session were recorded, and how many were not. */
export interface RecordedFrames {
  readonly recorded: number;
  readonly missed: number;
}

const STOP_REASONS: readonly StopReason[] = ['stop', 'exit', 'exhausted', 'failed'];

/** Without its newline. */
export function endLine(entry: EndEntry, { recorded, missed }: RecordedFrames): string {
  const { frame } = entry;
  return stringifyExact({
    kind: 'end',
    episode_id: entry.episodeId,
    reason: entry.reason,
    wall_ns: entry.wallNs,
    frames_collected: entry.framesCollected,
    frames_promoted: entry.framesPromoted,
    frames_recorded: recorded,
    frames_missed: missed,
    totals: Object.fromEntries(TOTALS.map(({ name, key }) => [key, frame[name]])),
    sources: { ...frame.sources },
    quality: Object.fromEntries(FRAME_PARTS.map((part) => [part, [...frame.quality[part]]])),
    exhausted: entry.exhausted === null ? null : exhaustedToJson(entry.exhausted),
  });
}

/** The numbers in the wanted mode. Throws the errors of `shape.ts`, and `ERR_INVALID_EPISODE_ID`. */
export function endFromJson<N extends number | bigint>(
  value: unknown,
  inMode: (exact: bigint) => N,
): RecordingEnd<N> {
  const json = objectOf('the end line', value, [
    'kind',
    'episode_id',
    'reason',
    'wall_ns',
    'frames_collected',
    'frames_promoted',
    'frames_recorded',
    'frames_missed',
    'totals',
    'sources',
    'quality',
    'exhausted',
  ]);
  const episodeId = json.episode_id;
  assertEpisodeId(episodeId);
  const given = objectOf(
    'totals',
    json.totals,
    TOTALS.map(({ key }) => key),
  );
  const totals = TOTALS.map(({ name, key }) => [
    name,
    nullOr(given[key], (total) => inMode(exactOf(key, total))),
  ]);
  return {
    episodeId,
    reason: oneOf('reason', json.reason, STOP_REASONS),
    wallNs: inMode(exactOf('wall_ns', json.wall_ns)),
    framesCollected: countOf('frames_collected', json.frames_collected),
    framesPromoted: countOf('frames_promoted', json.frames_promoted),
    framesRecorded: countOf('frames_recorded', json.frames_recorded),
    framesMissed: countOf('frames_missed', json.frames_missed),
    totals: Object.fromEntries(totals) as RecordingTotals<N>,
    sources: sourcesFromJson(json.sources),
    quality: qualityFromJson(json.quality),
    exhausted: nullOr(json.exhausted, exhaustedFromJson),
  };
}

function sourcesFromJson(value: unknown): MetricSources {
  const json = objectOf('sources', value, FRAME_PARTS);
  const ofPart = (part: keyof MetricSources) =>
    oneOf(`sources.${part}`, json[part], Object.values(MetricSource));
  return { cpu: ofPart('cpu'), memory: ofPart('memory'), io: ofPart('io') };
}

function qualityFromJson(value: unknown): FrameQualities {
  const json = objectOf('quality', value, FRAME_PARTS);
  // qualityToBits refuses unknown names.
  const ofPart = (part: keyof FrameQualities) =>
    qualityFromBits(qualityToBits(listOf(`quality.${part}`, json[part]) as FrameQuality[]));
  return { cpu: ofPart('cpu'), memory: ofPart('memory'), io: ofPart('io') };
}

function exhaustedToJson(exhausted: ExhaustedEvent): ExactJson {
  return {
    resource: snakeCase(exhausted.resource),
    limit: exhausted.limit,
    consumed: exhausted.consumed,
    seq: exhausted.seq,
    ts_mono: exhausted.tsMono,
    late_ns: exhausted.lateNs,
    action: exhausted.action,
  };
}

function exhaustedFromJson(value: unknown): ExhaustedEvent {
  const json = objectOf('exhausted', value, [
    'resource',
    'limit',
    'consumed',
    'seq',
    'ts_mono',
    'late_ns',
    'action',
  ]);
  const resource = EXHAUSTIBLE.find((each) => snakeCase(each) === json.resource);
  if (resource === undefined) throw invalidConfig('resource must be what can be exhausted');
  return {
    resource,
    limit: amountOf('limit', json.limit),
    consumed: amountOf('consumed', json.consumed),
    seq: countOf('seq', json.seq),
    tsMono: countOf('ts_mono', json.ts_mono),
    lateNs: nullOr(json.late_ns, (late) => amountOf('late_ns', late)),
    action: oneOf('action', json.action, EXHAUST_ACTIONS),
  };
}
