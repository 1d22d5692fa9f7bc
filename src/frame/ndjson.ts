import {
  METRICS,
  type MetricName,
  type MetricRow,
  PRESSURE_METRICS,
  type WireMetrics,
} from '../schema/metrics.js';
import { digits } from './bounds.js';
import type { ExactValues } from './exact.js';
import type { FrameFields } from './fields.js';
import type { MetricSource } from './metric-source.js';
import type { O11yFlagsJson } from './o11y-flags.js';

/** The twelve-field wire form of a frame. */
export interface FrameJson extends WireMetrics {
  episode_id: string;
  seq: number;
  ts_mono: number;
  source: MetricSource;
  o11y_flags: O11yFlagsJson;
}

const WIRE = METRICS.filter(({ wire }) => wire);
/** Metrics outside the wire form are written before or after `pressure`, depending on their word. */
const [FIRST_PRESSURE] = PRESSURE_METRICS;
const isBeforePressure = ({ word }: { readonly word: number }) =>
  word < (FIRST_PRESSURE?.word ?? 0);
const BEFORE_PRESSURE = METRICS.filter((metric) => !metric.wire && isBeforePressure(metric));
const AFTER_PRESSURE = METRICS.filter((metric) => !metric.wire && !isBeforePressure(metric));

type AnyFields = FrameFields<number | bigint>;

export function frameToJson(frame: AnyFields): FrameJson {
  const metrics = {} as WireMetrics;
  for (const { name, key } of WIRE) metrics[key as keyof WireMetrics] = Number(frame[name] ?? 0);
  return {
    episode_id: frame.episodeId,
    seq: Number(frame.seq),
    ts_mono: Number(frame.tsMono),
    ...metrics,
    source: frame.sources.cpu,
    o11y_flags: frame.o11yFlags.toJSON(),
  };
}

/**
 * Builds the text itself because `JSON.stringify` rejects bigints and would round values beyond 2^53. An absent
 * metric is 0 in the twelve fields and null after them.
 */
export function frameToNdjson(frame: AnyFields, exact: ExactValues | null): string {
  const text = (name: string, value: number | bigint | null, absent: string) =>
    value === null ? absent : digits(exact?.get(name) ?? value);
  const pairs = (metrics: readonly MetricRow<MetricName>[], absent: string) =>
    metrics.map(({ name, key }) => `"${key}":${text(name, frame[name], absent)}`);

  const pressure = PRESSURE_METRICS.map(
    ({ name, key }) => `"${key}":${text(name, frame.pressure[name], 'null')}`,
  );
  const { cpu, memory, io } = frame.quality;
  const quality = { cpu: [...cpu], memory: [...memory], io: [...io] };
  const members = [
    `"episode_id":${JSON.stringify(frame.episodeId)}`,
    `"seq":${text('seq', frame.seq, '0')}`,
    `"ts_mono":${text('tsMono', frame.tsMono, '0')}`,
    ...pairs(WIRE, '0'),
    `"source":${JSON.stringify(frame.sources.cpu)}`,
    `"o11y_flags":${JSON.stringify(frame.o11yFlags)}`,
    ...pairs(BEFORE_PRESSURE, 'null'),
    `"pressure":{${pressure.join(',')}}`,
    ...pairs(AFTER_PRESSURE, 'null'),
    `"sources":${JSON.stringify(frame.sources)}`,
    `"quality":${JSON.stringify(quality)}`,
  ];
  return `{${members.join(',')}}`;
}
