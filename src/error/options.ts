/** Checks of options that plain JavaScript may get wrong. Each accepts `undefined` where an option may be omitted. */
import { CgroupError } from './layer-errors.js';
import { TelemetryError } from './telemetry-error.js';

export function invalidConfig(message: string): TelemetryError {
  return new TelemetryError('ERR_INVALID_CONFIG', message);
}

export function assertObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw invalidConfig(`${name} must be an object`);
}

/**
 * Whether the object's contents are accessed by key. An empty array, a Map or a Date has no keys that could be wrong
 * and would pass as empty options. Checks the tag, because each realm has its own classes.
 */
export function isKeyed(value: unknown): boolean {
  const tag = Object.prototype.toString.call(value);
  return tag === '[object Object]' || tag === '[object Module]';
}

/** Every key that options of this type may have; the compiler ensures that none is missing. */
export type OptionKeys<T> = Readonly<Record<keyof T, unknown>>;

/** Throws unless `value` is an object without other keys, because a misspelled option would be ignored. */
export function assertOptions<T>(name: string, value: T, keys: OptionKeys<T>): void {
  assertObject(name, value);
  if (!isKeyed(value)) throw invalidConfig(`${name} must be an object`);
  const unknown = Object.keys(value as object).find((key) => !Object.hasOwn(keys, key));
  if (unknown === undefined) return;
  const known = Object.keys(keys);
  const meant = nearest(unknown, known);
  const help = meant === null ? `there are ${known.join(', ')}` : `did you mean ${meant}?`;
  const shown = unknown.length > MAX_SHOWN ? `${unknown.slice(0, MAX_SHOWN)}…` : unknown;
  throw invalidConfig(`${name} must have no ${JSON.stringify(shown)}: ${help}`);
}

const MAX_SHOWN = 64;
/** A key is taken for a misspelling if at most a third of its letters differ. */
const LETTERS_PER_ERROR = 3;

function nearest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(1, Math.floor(Math.min(word.length, MAX_SHOWN) / LETTERS_PER_ERROR)) + 1;
  for (const each of known) {
    const distance = editDistance(word.slice(0, MAX_SHOWN).toLowerCase(), each.toLowerCase());
    if (distance < least) [best, least] = [each, distance];
  }
  return best;
}

/** How many letters must be inserted, removed or replaced (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

export function assertBoolean(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw invalidConfig(`${name} must be true or false, not ${show(value)}`);
}

export function assertOneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw invalidConfig(`${name} must be one of ${allowed.join(', ')}, not ${show(value)}`);
}

export function assertSignal(value: unknown): void {
  if (value === undefined || isAbortSignal(value)) return;
  throw invalidConfig('signal must be an AbortSignal');
}

/** Accepts signals of any realm, and of other implementations. */
function isAbortSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { aborted, addEventListener, throwIfAborted } = value as Partial<AbortSignal>;
  return (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof throwIfAborted === 'function'
  );
}

/** Throws `ERR_CGROUP_PATH` unless `value` is a path. What is at the path is checked when it is opened. */
export function assertPath(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'string') return;
  throw new CgroupError('ERR_CGROUP_PATH', `${name} must be a path, not ${show(value)}`);
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeof value;
}
