/** Converts a JavaScript value to JSON that means the same to every reader, or throws. */
import { ReviewerTelemetryError } from '../error/index.js';
import type { ExactJson } from '../ndjson/exact-json.js';

/** Parsers of other languages accept no deeper nesting. */
const MAX_DEPTH = 127;
const MAX_PATH_LENGTH = 200;

/**
 * Returns a copy of `value`, which later changes by its owner do not affect. As with `JSON.stringify`, undefined
 * members are left out and `toJSON` is called; but no value changes its meaning: NaN does not become null, nor a `Map`
 * an empty object. Bigints become integers.
 *
 * Throws `ERR_REVIEWER_SERIALIZE`, with the path of the value within `name`.
 */
export function plainJson(value: unknown, name = 'the event', depth = 0): ExactJson {
  try {
    return copyOf(value, depth);
  } catch (cause) {
    // Any other error comes from a getter, a `toJSON` or a proxy of the caller.
    const { path, why } =
      cause instanceof NotJson
        ? cause
        : { path: '', why: `throws when it is read: ${String(cause)}` };
    const where = path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path;
    const message = `${name}${where} ${why}, which JSON cannot say`;
    throw new ReviewerTelemetryError('ERR_REVIEWER_SERIALIZE', message, { cause });
  }
}

/** Whether `plainJson` would only copy the value: an object of strings, numbers, booleans and nulls. */
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
  /** The path to the value from where the error is caught. */
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
  // A cycle ends here too.
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
    // Assigning to it would set the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { ...OWN, value: json });
    else copy[key] = json;
  }
  return copy;
}

const OWN = { enumerable: true, configurable: true, writable: true };

/** `step` is called only for the path of an error. */
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

/** Whether an object is plain, in whichever realm it was created. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
