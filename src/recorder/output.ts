import type { RegularFile } from '../ndjson/regular-file.js';
import type { StreamFile } from './stream-file.js';

/**
 * What is recorded into: a file that can be rotated, or a stream. Both append whole lines, each with its newline, and
 * never throw then. One that `isBroken` is to be closed and opened again.
 */
export type Output = RegularFile | StreamFile;
