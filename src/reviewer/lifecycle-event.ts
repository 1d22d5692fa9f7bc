/** Converts between the lines of a reviewer log and typed events; strict about what a lifecycle event must have. */
import { ReviewerTelemetryError } from '../error/index.js';
import {
  type ExactJson,
  parseExact,
  stringifyExact,
  stringifyMembers,
} from '../ndjson/exact-json.js';
import { textOfLine } from '../ndjson/line-reader.js';
import { snakeCase } from '../ndjson/snake-case.js';
import { isFlat, plainJson } from './plain-json.js';
import { epochSecondsOf } from './rfc3339.js';
import {
  MAX_U32,
  REVIEWER_EVENT_KINDS,
  REVIEWER_TELEMETRY_SCHEMA,
  REVIEWER_TELEMETRY_SCHEMA_VERSION,
  type ReviewerEventObject,
  type ReviewerLifecycleEvent,
  type ReviewerLifecycleEventInit,
  type ReviewerLifecycleEventKind,
} from './schema.js';

const MAX_U64 = 2n ** 64n - 1n;

/** The members of an event in a line, in order, except `extra`. */
const MEMBERS = [
  'schema',
  'schemaVersion',
  'ts',
  'event',
  'reviewType',
  'prNumber',
  'headSha',
  'seq',
  'runId',
  'restartCount',
  'reasonCode',
  'detail',
] as const satisfies readonly (keyof ReviewerLifecycleEvent)[];
const KEYS = MEMBERS.map((name) => [name, snakeCase(name)] as const);

const FIELDS: ReadonlySet<string> = new Set([...MEMBERS, 'extra']);
/** Keys that become a member of the event, under this name or another. */
const KNOWN = new Set([...KEYS.map(([, key]) => key), 'reason', 'signal']);

const KINDS = new Map<string, ReviewerLifecycleEventKind>(
  REVIEWER_EVENT_KINDS.map((kind) => [kind, kind]),
).set('sha_update', 'sha_drift');

/**
 * Returns `value` as a lifecycle event; null for any other object, which such a log may also hold.
 *
 * Throws `ERR_REVIEWER_INVALID_EVENT` for a value that is not an object, or an invalid lifecycle event.
 */
export function lifecycleEventOf(value: unknown): ReviewerLifecycleEvent | null {
  if (!isObject(value)) throw invalid('it is not a JSON object');
  const event = kindOf(value);
  if (event === undefined) return null;
  checkSchema(value);
  if (typeof value.ts !== 'string') throw invalid('ts is missing');
  if (epochSecondsOf(value.ts) === null) throw invalid('ts is not a date and time of RFC 3339');
  const prNumber = integer(value, 'pr_number', 0n, BigInt(MAX_U32));
  return {
    schema: REVIEWER_TELEMETRY_SCHEMA,
    schemaVersion: REVIEWER_TELEMETRY_SCHEMA_VERSION,
    ts: value.ts,
    event,
    reviewType: notBlank(value, 'review_type'),
    prNumber: Number(prNumber),
    headSha: notBlank(value, 'head_sha'),
    seq: integer(value, 'seq', 1n, MAX_U64),
    runId: stringOr(value.run_id, null),
    restartCount: u32OrNull(value.restart_count),
    reasonCode: reasonOf(event, value),
    detail: stringOr(value.detail, null),
    extra: extraOf(value),
  };
}

function kindOf({ event }: JsonObject): ReviewerLifecycleEventKind | undefined {
  return typeof event === 'string' ? KINDS.get(event) : undefined;
}

/** Like `lifecycleEventOf`, for a line without its newline; also throws if that is not UTF-8 or not JSON. */
export function lifecycleEventOfLine(bytes: Buffer): ReviewerLifecycleEvent | null {
  // Exact numbers are needed only for a lifecycle event, not for any other object, however deep.
  const isLifecycle = (value: unknown): boolean => isObject(value) && kindOf(value) !== undefined;
  return lifecycleEventOf(parseExact(textOfLine(bytes), isLifecycle));
}

/** Returns the members of an event's line, in order. */
export function membersOf(event: ReviewerLifecycleEvent): [string, ExactJson][] {
  const known = KEYS.map(([name, key]): [string, ExactJson] => [key, event[name]]);
  const told = known.filter(([, value]) => value !== null);
  const seq = event.seq <= Number.MAX_SAFE_INTEGER ? Number(event.seq) : event.seq;
  return [
    ...told.map(([key, value]): [string, ExactJson] => [key, key === 'seq' ? seq : value]),
    ...inOrderOfName(event.extra),
  ];
}

/**
 * Returns what the writer writes for a value: for a lifecycle event the canonical object, with the schema and its
 * version, aliases resolved and defaults filled in; for any other object a copy. Bigints beyond 2^53 − 1 stay so.
 *
 * Throws `ERR_REVIEWER_INVALID_EVENT`, `ERR_REVIEWER_SERIALIZE`.
 */
export function canonicalizeReviewerEventValue(value: unknown): ReviewerEventObject {
  const plain = plainJson(value);
  const event = lifecycleEventOf(plain);
  return event === null ? (plain as ReviewerEventObject) : Object.fromEntries(membersOf(event));
}

/** Returns the line of a value, without its newline. Throws the same errors. */
export function lineOfValue(value: unknown): string {
  // Most events are flat and need no deep copy.
  const plain = isFlat(value) ? { ...value } : plainJson(value);
  const event = lifecycleEventOf(plain);
  return event === null ? stringifyExact(plain) : stringifyMembers(membersOf(event));
}

/** Returns the line of a typed event, with the same checks. */
export function lineOfEvent(event: ReviewerLifecycleEventInit): string {
  if (!isObject(event)) throw invalid('it is not an object');
  // `extra` is not a level of nesting in the line.
  const typed = plainJson(event, 'the event', -1);
  if (!isObject(typed)) throw invalid('its toJSON gives no object');
  for (const key of Object.keys(typed)) {
    if (!FIELDS.has(key)) {
      throw invalid(`${show(key)} is no field of it; further keys go into extra`);
    }
  }
  checkOptional(typed);
  const extra = typed.extra ?? {};
  if (!isObject(extra)) throw invalid('extra is not an object');
  for (const key of Object.keys(extra)) {
    if (KNOWN.has(key)) throw invalid(`extra has ${key}, which is a field of its own`);
  }
  const members = KEYS.map(([name, key]) => [key, typed[name]]);
  const parsed = lifecycleEventOf({ ...extra, ...Object.fromEntries(members) });
  if (parsed === null) throw invalid(`event must be one of ${REVIEWER_EVENT_KINDS.join(', ')}`);
  return stringifyMembers(membersOf(parsed));
}

/** Wrong optional values count as absent in a line that is read, but are errors for a writer. */
function checkOptional(event: JsonObject): void {
  for (const key of ['runId', 'reasonCode', 'detail'] as const) {
    const value = event[key] ?? null;
    if (value !== null && typeof value !== 'string') throw invalid(`${key} is not a string`);
  }
  const count = event.restartCount ?? null;
  if (count !== null && u32OrNull(count) === null) {
    throw invalid(`restartCount is not from 0 to ${MAX_U32}`);
  }
}

type JsonObject = { readonly [key: string]: unknown };

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkSchema({ schema, schema_version: version }: JsonObject): void {
  if (schema != null && schema !== REVIEWER_TELEMETRY_SCHEMA) {
    throw invalid(`schema is ${show(schema)}, not ${REVIEWER_TELEMETRY_SCHEMA}`);
  }
  const isNumber = typeof version === 'number' || typeof version === 'bigint';
  if (version != null && !(isNumber && Number(version) === REVIEWER_TELEMETRY_SCHEMA_VERSION)) {
    throw invalid(`schema_version is ${show(version)}, not ${REVIEWER_TELEMETRY_SCHEMA_VERSION}`);
  }
}

function notBlank(value: JsonObject, key: string): string {
  const text = value[key];
  if (typeof text !== 'string') throw invalid(`${key} is missing`);
  const trimmed = wellFormed(text).trim();
  if (trimmed === '') throw invalid(`${key} is blank`);
  return trimmed;
}

function integer(value: JsonObject, key: string, least: bigint, most: bigint): bigint {
  const found = value[key];
  if (typeof found !== 'number' && typeof found !== 'bigint') throw invalid(`${key} is missing`);
  if (typeof found === 'number' && !Number.isInteger(found)) {
    throw invalid(`${key} is ${found}, not an integer`);
  }
  // The intended integer is not known.
  if (typeof found === 'number' && Math.abs(found) > Number.MAX_SAFE_INTEGER) {
    throw invalid(`${key} is a number beyond 2^53; give a bigint`);
  }
  const exact = BigInt(found);
  if (exact < least || exact > most) {
    throw invalid(`${key} is ${exact}, not from ${least} to ${most}`);
  }
  return exact;
}

function stringOr<T>(value: unknown, instead: T): string | T {
  return typeof value === 'string' ? wellFormed(value) : instead;
}

/** Half a surrogate pair cannot be encoded in UTF-8, though JSON can escape it. */
function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw invalid('a string has half a surrogate pair');
}

function u32OrNull(value: unknown): number | null {
  if (typeof value !== 'number' && typeof value !== 'bigint') return null;
  const number = Number(value);
  const isU32 = Number.isInteger(number) && number >= 0 && number <= MAX_U32;
  // Turns −0 into 0.
  return isU32 ? number + 0 : null;
}

function reasonOf(event: ReviewerLifecycleEventKind, value: JsonObject): string | null {
  const byDefault = event === 'run_start' || event === 'run_complete' ? null : event;
  const signal = event === 'run_crash' ? value.signal : undefined;
  return stringOr(value.reason_code, stringOr(value.reason, stringOr(signal, byDefault)));
}

function extraOf(value: JsonObject): { readonly [key: string]: ExactJson } {
  const unknown: [string, ExactJson][] = [];
  for (const key of Object.keys(value)) {
    // A number too large for a double is parsed as an infinity, which `plainJson` rejects.
    if (!KNOWN.has(key)) unknown.push([wellFormed(key), plainJson(value[key], key, 1)]);
  }
  return Object.fromEntries(unknown.sort(byName));
}

/** Sorts the members again, because an object puts names like `1` first. */
function inOrderOfName(extra: ReviewerLifecycleEvent['extra']): [string, ExactJson][] {
  return Object.entries(extra).sort(byName);
}

/** Compares the names as bytes of UTF-8. */
function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function show(value: unknown): string {
  const text = typeof value === 'object' ? 'an object' : String(value);
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}

function invalid(why: string): ReviewerTelemetryError {
  return new ReviewerTelemetryError('ERR_REVIEWER_INVALID_EVENT', `no lifecycle event: ${why}`);
}
