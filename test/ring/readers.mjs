// The two kinds of readers, for scripts: of the built package.
import * as atomics from 'episcope/reader';
import * as native from '../../dist/readers/frame-reader.js';

export const READERS = { atomics: atomics.FrameReader, native: native.FrameReader };
