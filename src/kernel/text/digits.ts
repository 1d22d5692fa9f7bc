/** Decimal numbers of any length in kernel text, exact to 2^63 − 1 and saturating beyond. */
import { MAX_U63 } from '../../frame/saturate.js';

const ZERO = 0x30;
const MINUS = 0x2d;

/** Above this, the next digit could exceed the integers that a double holds exactly. */
const LAST_SAFE = Math.floor((Number.MAX_SAFE_INTEGER - 9) / 10);

class DigitScanner {
  /** The number of the last `scan`; 0 if there was no digit. */
  value = 0n;
  /** The offset of the first byte of the last `scan` that is not a digit, or the limit. */
  end = 0;
  /** Whether the number of the last `scan` was 2^63 or more, so that `value` is saturated. */
  beyond = false;

  /** Reads digits from `start` up to `limit`. Returns true if there is at least one and nothing else. */
  scan(text: Uint8Array, start: number, limit: number): boolean {
    let at = start;
    let small = 0;
    while (at < limit && small <= LAST_SAFE) {
      const digit = text[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      small = small * 10 + digit;
      at++;
    }
    let value = BigInt(small);
    this.beyond = false;
    while (at < limit) {
      const digit = text[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10n + BigInt(digit);
      if (value > MAX_U63) {
        value = MAX_U63;
        this.beyond = true;
      }
      at++;
    }
    this.value = value;
    this.end = at;
    return at === limit && at > start;
  }

  /** As `scan`, for a number that the kernel prints signed: a negative number is 0. */
  scanSigned(text: Uint8Array, start: number, limit: number): boolean {
    const negative = start < limit && text[start] === MINUS;
    const scanned = this.scan(text, negative ? start + 1 : start, limit);
    if (negative) {
      this.value = 0n;
      this.beyond = false;
    }
    return scanned;
  }
}

/** Shared by the parsers of this thread: a result must be used before the next scan. */
export const digits = new DigitScanner();
