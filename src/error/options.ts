/** Checks of options that plain JavaScript may get wrong. Each lets `undefined` pass where an option may be left out. */
import { CgroupError } from './layer-errors.js';
import { TelemetryError } from './telemetry-error.js';

export function invalidConfig(message: string): TelemetryError {
  return new TelemetryError('ERR_INVALID_CONFIG', message);
}

export function assertObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw invalidConfig(`${name} must be an object`);
}

/**
 * Whether names lead to what the object holds. An empty array, a Map or a Date has no keys that could be wrong: it would
 * pass as no options at all. Asked by tag, since each realm has classes of its own.
 */
export function isKeyed(value: unknown): boolean {
  const tag = Object.prototype.toString.call(value);
  return tag === '[object Object]' || tag === '[object Module]';
}

/** Every key that options of this type may have; the compiler sees to it that none is missing. */
export type OptionKeys<T> = Readonly<Record<keyof T, unknown>>;

/** An object that has no other keys: an option that was misspelled would be none. */
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
/** Typing errors: a third of the letters at most. */
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

/** How many letters are to be inserted, removed or replaced (Levenshtein). */
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

/** One of whatever realm, or of another implementation. */
function isAbortSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { aborted, addEventListener, throwIfAborted } = value as Partial<AbortSignal>;
  return (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof throwIfAborted === 'function'
  );
}

/** What a path leads to is checked at the open; that it is one, here. Throws `ERR_CGROUP_PATH`. */
export function assertPath(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'string') return;
  throw new CgroupError('ERR_CGROUP_PATH', `${name} must be a path, not ${show(value)}`);
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeof value;
}
