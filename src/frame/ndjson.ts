import { digits } from './bounds.js';
import type { ExactValues } from './exact.js';
import {
  COLLECT_FIELD,
  type FieldShape,
  type FrameFields,
  FURTHER_METRICS,
  PRESSURE_FIELDS,
  WIRE_METRICS,
} from './fields.js';
import type { MetricSource } from './metric-source.js';
import type { O11yFlagsJson } from './o11y-flags.js';

/** The twelve-field wire form. */
export interface FrameJson {
  episode_id: string;
  seq: number;
  ts_mono: number;
  cpu_ns: number;
  cpu_user_ns: number;
  cpu_system_ns: number;
  mem_rss_bytes: number;
  mem_peak_bytes: number;
  io_read_bytes: number;
  io_write_bytes: number;
  source: MetricSource;
  o11y_flags: O11yFlagsJson;
}

type AnyFields = FrameFields<number | bigint>;

export function frameToJson(frame: AnyFields): FrameJson {
  return {
    episode_id: frame.episodeId,
    seq: Number(frame.seq),
    ts_mono: Number(frame.tsMono),
    cpu_ns: Number(frame.cpuNs ?? 0),
    cpu_user_ns: Number(frame.cpuUserNs ?? 0),
    cpu_system_ns: Number(frame.cpuSystemNs ?? 0),
    mem_rss_bytes: Number(frame.memRssBytes ?? 0),
    mem_peak_bytes: Number(frame.memPeakBytes ?? 0),
    io_read_bytes: Number(frame.ioReadBytes ?? 0),
    io_write_bytes: Number(frame.ioWriteBytes ?? 0),
    source: frame.sources.cpu,
    o11y_flags: frame.o11yFlags.toJSON(),
  };
}

/**
 * Written by hand: `JSON.stringify` has no bigint, and numbers beyond 2^53 would lose digits. An absent
 * metric is 0 among the twelve fields, null after them.
 */
export function frameToNdjson(frame: AnyFields, exact: ExactValues | null): string {
  const text = (name: string, value: number | bigint | null, absent: string) =>
    value === null ? absent : digits(exact?.get(name) ?? value);
  const pairs = (fields: readonly FieldShape<keyof typeof frame & string>[], absent: string) =>
    fields.map(
      ({ name, key }) => `"${key}":${text(name, frame[name] as number | bigint | null, absent)}`,
    );

  const pressure = PRESSURE_FIELDS.map(
    ({ name, key }) => `"${key}":${text(name, frame.pressure[name], 'null')}`,
  );
  const { cpu, memory, io } = frame.quality;
  const quality = { cpu: [...cpu], memory: [...memory], io: [...io] };
  const members = [
    `"episode_id":${JSON.stringify(frame.episodeId)}`,
    `"seq":${text('seq', frame.seq, '0')}`,
    `"ts_mono":${text('tsMono', frame.tsMono, '0')}`,
    ...pairs(WIRE_METRICS, '0'),
    `"source":${JSON.stringify(frame.sources.cpu)}`,
    `"o11y_flags":${JSON.stringify(frame.o11yFlags)}`,
    ...pairs(FURTHER_METRICS, 'null'),
    `"pressure":{${pressure.join(',')}}`,
    ...pairs([COLLECT_FIELD], 'null'),
    `"sources":${JSON.stringify(frame.sources)}`,
    `"quality":${JSON.stringify(quality)}`,
  ];
  return `{${members.join(',')}}`;
}
