/** The words of one slot with their validity mask, as readers fill them and frames carry them. */

import { endianness } from 'node:os';
import { FRAME_WORDS, FrameWord } from '../../schema/layout.js';

/** VALID is accessed as u32 halves, which avoids allocating bigints. */
const IS_BIG_ENDIAN = endianness() === 'BE';
const validHalf = (word: number): number =>
  FrameWord.VALID * 2 + (word >= 32 === IS_BIG_ENDIAN ? 0 : 1);

export class Reading {
  readonly words = new BigUint64Array(FRAME_WORDS);
  readonly #halves = new Uint32Array(this.words.buffer);

  clear(): void {
    this.words.fill(0n);
  }

  set(word: number, value: bigint): void {
    this.words[word] = value;
    this.#halves[validHalf(word)]! |= 1 << (word & 31);
  }

  unset(word: number): void {
    this.words[word] = 0n;
    this.#halves[validHalf(word)]! &= ~(1 << (word & 31));
  }

  /** Sets the word, or unsets it if the value is null. */
  put(word: number, value: bigint | null): void {
    if (value === null) this.unset(word);
    else this.set(word, value);
  }

  has(word: number): boolean {
    return ((this.#halves[validHalf(word)]! >>> (word & 31)) & 1) !== 0;
  }

  /** Returns the value of the word, or 0 if it is unset. */
  get(word: number): bigint {
    return this.words[word]!;
  }

  /** Copies those of the given words that are set in `from`. */
  take(from: Reading, words: readonly number[]): void {
    for (const word of words) this.put(word, from.has(word) ? from.get(word) : null);
  }
}
