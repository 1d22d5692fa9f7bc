/** A value of JavaScript as JSON that says the same to every reader, or a refusal. */
import { ReviewerTelemetryError } from '../error/index.js';
import type { ExactJson } from '../ndjson/exact-json.js';

/** Parsers of other languages go no deeper. */
const MAX_DEPTH = 127;
const MAX_PATH_LENGTH = 200;

/**
 * A copy of `value`, so that what its owner does with it later changes nothing. As `JSON.stringify` members that are
 * undefined are left out and `toJSON` is asked; but nothing turns into something else: NaN not into null, a `Map` not
 * into an empty object. Bigints are integers.
 *
 * Throws `ERR_REVIEWER_SERIALIZE`.
 */
export function plainJson(value: unknown, path = 'the event', depth = 0): ExactJson {
  try {
    return copied(value, path, depth);
  } catch (cause) {
    if (cause instanceof ReviewerTelemetryError) throw cause;
    // A getter, a `toJSON` or a proxy of somebody else's.
    throw notJson(path, `throws when it is read: ${String(cause)}`, cause);
  }
}

function copied(value: unknown, path: string, depth: number): ExactJson {
  switch (typeof value) {
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw notJson(path, `is ${value}`);
    case 'string':
      if (value.isWellFormed()) return value;
      throw notJson(path, 'has half a surrogate pair');
    case 'object':
      return value === null ? null : plainObject(value, path, depth);
    default:
      throw notJson(path, `is ${typeof value}`);
  }
}

function plainObject(value: object, path: string, depth: number): ExactJson {
  // A cycle gets here too.
  if (depth === MAX_DEPTH) throw notJson(path, `is nested more than ${MAX_DEPTH} deep`);
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return copied(value.toJSON(), path, depth + 1);
  }
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) => copied(item, `${path}[${index}]`, depth + 1));
  }
  if (!isPlain(value)) throw notJson(path, `is a ${String(value.constructor?.name ?? 'class')}`);
  const members: [string, ExactJson][] = [];
  for (const [key, member] of Object.entries(value)) {
    if (!key.isWellFormed()) throw notJson(path, 'has a key with half a surrogate pair');
    if (member === undefined) continue;
    members.push([key, copied(member, `${path}.${key}`, depth + 1)]);
  }
  // Defines `__proto__` too, and does not assign it.
  return Object.fromEntries(members);
}

/** Of whatever realm. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notJson(path: string, why: string, cause?: unknown): ReviewerTelemetryError {
  const where = path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path;
  const message = `${where} ${why}, which JSON cannot say`;
  return new ReviewerTelemetryError('ERR_REVIEWER_SERIALIZE', message, { cause });
}
