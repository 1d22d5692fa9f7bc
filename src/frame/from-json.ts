import { assertEpisodeId } from '../episode/id.js';
import { invalidConfig, outOfRange, TelemetryError, wholeNumber } from '../error/index.js';
import { MAX_FRAME_COUNT } from '../schema/bounds.js';
import {
  FRAME_PARTS,
  type FrameMetrics,
  type FramePart,
  METRICS,
  PRESSURE_METRICS,
  type PressureName,
} from '../schema/metrics.js';
import { assertPeak, assertUsage, clampUsage, exactValue } from './bounds.js';
import type { FrameFields } from './fields.js';
import { assertMetricSource, type MetricSource, type MetricSources } from './metric-source.js';
import { O11yFlags } from './o11y-flags.js';
import {
  type FrameQualities,
  type FrameQuality,
  qualityFromBits,
  qualityToBits,
} from './quality.js';

export type JsonObject = { readonly [key: string]: unknown };

const WIRE = METRICS.filter(({ wire }) => wire);
const FURTHER = METRICS.filter(({ wire }) => !wire);
const REQUIRED: readonly string[] = [
  'episode_id',
  'seq',
  'ts_mono',
  ...WIRE.map(({ key }) => key),
  'source',
  'o11y_flags',
];
const OPTIONAL: readonly string[] = [
  ...FURTHER.map(({ key }) => key),
  'pressure',
  'sources',
  'quality',
];
const FLAGS: readonly string[] = ['high_frequency', 'promoted', 'degraded', 'initial', 'terminal'];

/** Checks and decodes JSON for `TelemetryFrame.fromJSON`, whose docstring states the rules. */
export function frameFieldsFromJson(value: unknown): FrameFields<bigint> {
  const json = objectOf('a frame', value, REQUIRED, OPTIONAL);
  const episodeId = json.episode_id;
  assertEpisodeId(episodeId);
  const given = {} as Record<keyof FrameMetrics, bigint | null>;
  for (const { name, key } of WIRE) given[name] = wholeOf(key, json[key]);
  for (const { name, key } of FURTHER) given[name] = optionalWholeOf(key, json[key]);
  const sources = sourcesOf(json, given);
  const metrics = withoutUnavailable(given, sources);
  const cpu = { usage: metrics.cpuNs, user: metrics.cpuUserNs, system: metrics.cpuSystemNs };
  assertUsage(cpu, roundingOf(json, ['cpu_ns', 'cpu_user_ns', 'cpu_system_ns']));
  metrics.cpuNs = clampUsage(cpu);
  assertPeak(metrics.memPeakBytes, metrics.memRssBytes);
  return {
    episodeId,
    seq: wholeOf('seq', json.seq),
    tsMono: wholeOf('ts_mono', json.ts_mono),
    ...metrics,
    pressure: pressureOf(json.pressure),
    sources,
    quality: qualityOf(json.quality),
    o11yFlags: flagsOf(json.o11y_flags),
  };
}

/** An object with the required keys and no other but the optional ones. Throws `ERR_INVALID_CONFIG`. */
export function objectOf(
  name: string,
  value: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidConfig(`${name} must be an object`);
  }
  for (const key of Object.keys(value)) {
    if (!required.includes(key) && !optional.includes(key)) {
      throw invalidConfig(`${name} has an unknown field ${JSON.stringify(key.slice(0, 64))}`);
    }
  }
  for (const key of required) {
    if (!Object.hasOwn(value, key)) throw invalidConfig(`${name} lacks the field ${key}`);
  }
  return value as JsonObject;
}

function wholeOf(key: string, value: unknown): bigint {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw invalidConfig(`${key} must be a number`);
  }
  wholeNumber(key, value);
  const exact = exactValue(value);
  if (exact > MAX_FRAME_COUNT) throw outOfRange(key, value, 'must be at most 2^63 − 1');
  return exact;
}

/** Upper bound of the sum of these fields' rounding errors: half a unit in the last place each, none below 2^53. */
function roundingOf(json: JsonObject, keys: readonly string[]): bigint {
  let sum = 0n;
  for (const key of keys) {
    const value = json[key];
    if (typeof value === 'number') sum += BigInt(value) >> 53n;
  }
  return sum;
}

function optionalWholeOf(key: string, value: unknown): bigint | null {
  return value === undefined || value === null ? null : wholeOf(key, value);
}

function sourcesOf(
  json: JsonObject,
  given: Record<keyof FrameMetrics, bigint | null>,
): MetricSources {
  const source = json.source;
  assertMetricSource('source', source);
  if (json.sources !== undefined) {
    const sources = objectOf('sources', json.sources, FRAME_PARTS);
    const ofPart = (part: FramePart): MetricSource => {
      const given = sources[part];
      assertMetricSource(`sources.${part}`, given);
      return given;
    };
    const cpu = ofPart('cpu');
    if (cpu !== source) {
      throw new TelemetryError('ERR_INVARIANT', `source is ${source}, but sources.cpu is not`);
    }
    return { cpu, memory: ofPart('memory'), io: ofPart('io') };
  }
  const ofPart = (part: FramePart): MetricSource => {
    if (source !== 'unavailable') return source;
    const known = WIRE.some((each) => each.part === part && given[each.name] !== 0n);
    return known ? 'proc' : 'unavailable';
  };
  return { cpu: source, memory: ofPart('memory'), io: ofPart('io') };
}

function withoutUnavailable(
  given: Record<keyof FrameMetrics, bigint | null>,
  sources: MetricSources,
): Record<keyof FrameMetrics, bigint | null> {
  const metrics = { ...given };
  for (const { name, part } of METRICS) {
    if (part && sources[part] === 'unavailable') metrics[name] = null;
  }
  // The wire form writes 0 for an absent total; larger components show that the total was absent.
  const { cpuUserNs, cpuSystemNs, memRssBytes } = metrics;
  if (metrics.cpuNs === 0n && (cpuUserNs ?? 0n) + (cpuSystemNs ?? 0n) > 0n) metrics.cpuNs = null;
  if (metrics.memPeakBytes === 0n && (memRssBytes ?? 0n) > 0n) metrics.memPeakBytes = null;
  return metrics;
}

function pressureOf(value: unknown): Record<PressureName, bigint | null> {
  const keys = PRESSURE_METRICS.map(({ key }) => key);
  const json = value === undefined ? {} : objectOf('pressure', value, keys);
  const pressure = {} as Record<PressureName, bigint | null>;
  for (const { name, key } of PRESSURE_METRICS) {
    pressure[name] = optionalWholeOf(`pressure.${key}`, (json as JsonObject)[key]);
  }
  return pressure;
}

function qualityOf(value: unknown): FrameQualities {
  const json = value === undefined ? {} : objectOf('quality', value, FRAME_PARTS);
  const ofPart = (part: FramePart) => {
    const names = (json as JsonObject)[part] ?? [];
    if (!Array.isArray(names)) throw invalidConfig(`quality.${part} must be an array`);
    return qualityFromBits(qualityToBits(names as FrameQuality[]));
  };
  return { cpu: ofPart('cpu'), memory: ofPart('memory'), io: ofPart('io') };
}

function flagsOf(value: unknown): O11yFlags {
  const json = objectOf('o11y_flags', value, FLAGS);
  const flag = (key: string): boolean => {
    const given = json[key];
    if (typeof given !== 'boolean') throw invalidConfig(`o11y_flags.${key} must be a boolean`);
    return given;
  };
  return new O11yFlags({
    highFrequency: flag('high_frequency'),
    promoted: flag('promoted'),
    degraded: flag('degraded'),
    initial: flag('initial'),
    terminal: flag('terminal'),
  });
}
