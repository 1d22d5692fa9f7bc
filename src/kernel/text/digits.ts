/** Decimal digits in kernel text, exact to 2^63 − 1 and saturating beyond, however many there are. */
import { MAX_U63 } from '../../frame/saturate.js';

const ZERO = 0x30;
const MINUS = 0x2d;

/** Above this the next digit could leave the integers that a double holds exactly. */
const LAST_SAFE = Math.floor((Number.MAX_SAFE_INTEGER - 9) / 10);

class DigitScanner {
  /** Of the last `scan`: the number, 0 where there was no digit. */
  value = 0n;
  /** Of the last `scan`: the first byte that is no digit, or the limit. */
  end = 0;
  /** Of the last `scan`: the number is 2^63 or more, and `value` is not what stands there. */
  beyond = false;

  /** Reads digits from `start` up to `limit`. True when there is at least one and nothing else. */
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

  /** As `scan`, of a number that the kernel prints signed: below zero is 0. */
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

/** Shared by the parsers of this thread: a result is taken before the next scan. */
export const digits = new DigitScanner();
