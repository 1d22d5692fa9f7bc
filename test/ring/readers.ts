/** The two kinds of readers, which every table of this folder runs on. */
import { nativeSlots } from '../../src/readers/native-slots.js';
import { FrameReader, frameReaderClass } from '../../src/ring/reader.js';
import { ENGINES } from '../support/engines.js';

export type ReaderKind = 'atomics' | 'native';

const native = ENGINES.includes('native') ? nativeSlots() : null;

export const READERS: readonly [ReaderKind, typeof FrameReader][] = [
  ['atomics', FrameReader],
  ...(native === null
    ? []
    : [['native', frameReaderClass(native)] as const satisfies [ReaderKind, typeof FrameReader]]),
];
