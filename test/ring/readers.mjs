// The two kinds of readers, for scripts: of the built package.
import * as atomics from 'episcope/reader';
import * as native from '../../dist/reader/index.js';

export const READERS = { atomics: atomics.FrameReader, native: native.FrameReader };
