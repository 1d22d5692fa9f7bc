/** What readers fill and frames carry: the words of one slot, with their validity mask. */

import { endianness } from 'node:os';
import { FRAME_WORDS, FrameWord } from '../../schema/layout.js';

/** The u32 half of VALID that has the bit of a word: no bigint is made for it. */
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

  /** Sets the word, or unsets it where the kernel gave no value. */
  put(word: number, value: bigint | null): void {
    if (value === null) this.unset(word);
    else this.set(word, value);
  }

  has(word: number): boolean {
    return ((this.#halves[validHalf(word)]! >>> (word & 31)) & 1) !== 0;
  }

  /** The word's value, 0 where it has none. */
  get(word: number): bigint {
    return this.words[word]!;
  }

  /** Takes over what `from` has of these words, and nothing that it lacks. */
  take(from: Reading, words: readonly number[]): void {
    for (const word of words) this.put(word, from.has(word) ? from.get(word) : null);
  }
}
