/** Parses times and sizes of a command line: `1.5s`, `512M`, or a bare number of ms or bytes. */
import { MAX_FRAME_BYTES, MAX_FRAME_NS } from '../schema/bounds.js';
import { UsageError } from './usage.js';

/** In ns. `M` is not a unit of time, because it could be read as minutes or as ms. */
const TIME_UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  // Two characters that look the same: the micro sign and the Greek letter mu.
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['min', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

/** In bytes, lower case; powers of 1024, as in the kernel's `memory.max`. */
const SIZE_UNITS: ReadonlyMap<string, bigint> = new Map([
  ['', 1n],
  ['b', 1n],
  ...['k', 'm', 'g', 't', 'p'].flatMap((letter, index) => {
    const bytes = 1n << BigInt(10 * (index + 1));
    // Not `KB`, which could be read as 1000 or as 1024.
    return [letter, `${letter}i`, `${letter}ib`].map((unit) => [unit, bytes] as const);
  }),
]);

/** Returns a time in ns; a bare number is ms. Throws `UsageError`, which names `option`. */
export function parseTime(option: string, text: string): bigint {
  const ns = amountIn(text, (unit) => TIME_UNITS.get(unit));
  if (ns === null) {
    throw new UsageError(
      `${option} wants a time like 500, 1.5s or 2m (ns, us, ms, s, m, h; a bare number is ms), not ${quoted(text)}`,
    );
  }
  if (ns > MAX_FRAME_NS)
    throw new UsageError(`${option} is at most 2^63 − 1 ns, not ${quoted(text)}`);
  return ns;
}

/** Returns a size in bytes; a bare number is bytes. Throws `UsageError`, which names `option`. */
export function parseSize(option: string, text: string): bigint {
  const bytes = amountIn(text, (unit) => SIZE_UNITS.get(unit.toLowerCase()));
  if (bytes === null) {
    throw new UsageError(
      `${option} wants a size like 4096, 512M or 1.5G (K, M, G, T, P of 1024; a bare number is bytes), not ${quoted(text)}`,
    );
  }
  if (bytes > MAX_FRAME_BYTES) {
    throw new UsageError(`${option} is at most 2^63 − 1 bytes, not ${quoted(text)}`);
  }
  return bytes;
}

/** Digits, an optional fraction and a unit. Longer numbers exceed every bound. */
const AMOUNT = /^(\d{1,40})(?:\.(\d{1,40}))?(\p{L}*)$/u;

/** Returns the amount in the smallest unit, rounded down; null if it is invalid, or a fraction of the smallest unit. */
function amountIn(text: string, unitOf: (name: string) => bigint | undefined): bigint | null {
  const [, whole = '', fraction = '', name = ''] = AMOUNT.exec(text) ?? [];
  const unit = unitOf(name);
  if (whole === '' || unit === undefined || (fraction !== '' && unit === 1n)) return null;
  return (BigInt(whole + fraction) * unit) / 10n ** BigInt(fraction.length);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
