/** What readers fill and frames carry: the words of one slot, with their validity mask. */
import { endianness } from 'node:os';
import { FrameWord, RING_SLOT_WORDS } from '../../ring/layout.js';

// Every word index is below 32, so that the mask lives in the low half of VALID and needs no bigint.
const VALID_LOW = FrameWord.VALID * 2 + (endianness() === 'LE' ? 0 : 1);

export class Reading {
  readonly words = new BigUint64Array(RING_SLOT_WORDS);
  readonly #halves = new Uint32Array(this.words.buffer);

  clear(): void {
    this.words.fill(0n);
  }

  set(word: number, value: bigint): void {
    this.words[word] = value;
    this.#halves[VALID_LOW]! |= 1 << word;
  }

  unset(word: number): void {
    this.words[word] = 0n;
    this.#halves[VALID_LOW]! &= ~(1 << word);
  }

  /** Sets the word, or unsets it where the kernel gave no value. */
  put(word: number, value: bigint | null): void {
    if (value === null) this.unset(word);
    else this.set(word, value);
  }

  has(word: number): boolean {
    return ((this.#halves[VALID_LOW]! >>> word) & 1) !== 0;
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
