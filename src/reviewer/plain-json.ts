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
 * Throws `ERR_REVIEWER_SERIALIZE`, with where in `name` it is.
 */
export function plainJson(value: unknown, name = 'the event', depth = 0): ExactJson {
  try {
    return copyOf(value, depth);
  } catch (cause) {
    // Else a getter, a `toJSON` or a proxy of somebody else's.
    const { path, why } =
      cause instanceof NotJson
        ? cause
        : { path: '', why: `throws when it is read: ${String(cause)}` };
    const where = path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path;
    const message = `${name}${where} ${why}, which JSON cannot say`;
    throw new ReviewerTelemetryError('ERR_REVIEWER_SERIALIZE', message, { cause });
  }
}

/** Whether `plainJson` would only copy it: an object of texts, numbers, booleans and nulls. */
export function isFlat(value: unknown): value is { readonly [key: string]: FlatJson } {
  if (typeof value !== 'object' || value === null || !isPlain(value)) return false;
  for (const key in value) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (descriptor === undefined || !isFlatValue(descriptor.value) || !key.isWellFormed())
      return false;
  }
  return true;
}

type FlatJson = string | boolean | number | bigint | null;

function isFlatValue(value: unknown): value is FlatJson {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'boolean' || typeof value === 'bigint' || value === null;
}

class NotJson extends Error {
  readonly why: string;
  /** To where it is, from where it was caught. */
  path = '';

  constructor(why: string) {
    super(why);
    this.why = why;
  }
}

function copyOf(value: unknown, depth: number): ExactJson {
  switch (typeof value) {
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw new NotJson(`is ${value}`);
    case 'string':
      if (value.isWellFormed()) return value;
      throw new NotJson('has half a surrogate pair');
    case 'object':
      return value === null ? null : copyOfObject(value, depth);
    default:
      throw new NotJson(`is ${typeof value}`);
  }
}

function copyOfObject(value: object, depth: number): ExactJson {
  // A cycle gets here too.
  if (depth === MAX_DEPTH) throw new NotJson(`is nested more than ${MAX_DEPTH} deep`);
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return copyOf(value.toJSON(), depth + 1);
  }
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) => copyOfPart(item, depth + 1, () => `[${index}]`));
  }
  if (!isPlain(value)) throw new NotJson(`is a ${String(value.constructor?.name ?? 'class')}`);
  const copy: { [key: string]: ExactJson } = {};
  for (const [key, member] of Object.entries(value)) {
    if (!key.isWellFormed()) throw new NotJson('has a key with half a surrogate pair');
    if (member === undefined) continue;
    const json = copyOfPart(member, depth + 1, () => `.${key}`);
    // An assignment would set the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { ...OWN, value: json });
    else copy[key] = json;
  }
  return copy;
}

const OWN = { enumerable: true, configurable: true, writable: true };

/** `step` is only asked for an error's path. */
function copyOfPart(value: unknown, depth: number, step: () => string): ExactJson {
  try {
    return copyOf(value, depth);
  } catch (cause) {
    if (cause instanceof NotJson && cause.path.length <= MAX_PATH_LENGTH) {
      cause.path = step() + cause.path;
    }
    throw cause;
  }
}

/** Of whatever realm. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
