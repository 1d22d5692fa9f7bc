/** The lines between frames: the number of frames missing there, and the reason of a quarantine. */
import { outOfRange } from '../error/index.js';
import { stringifyExact } from '../ndjson/exact-json.js';
import { COUNT, objectOf, oneOf, TEXT } from './shape.js';

/** Longer reasons are cut. Even if all of it is escaped, a reason stays far below the maximum length of a line. */
const MAX_REASON_LENGTH = 65_536;

const GAP = objectOf({ kind: oneOf(['gap']), missed: COUNT });
const QUARANTINE = objectOf({ kind: oneOf(['quarantine']), reason: TEXT });

export function gapLine(missed: number): string {
  return stringifyExact(GAP.write({ kind: 'gap', missed }));
}

export function gapFromJson(value: unknown): number {
  const { missed } = GAP.read('a gap', value);
  if (missed === 0) throw outOfRange('missed', missed, 'must be at least 1');
  return missed;
}

export function quarantineLine(reason: string): string {
  const shown = reason.slice(0, MAX_REASON_LENGTH);
  return stringifyExact(QUARANTINE.write({ kind: 'quarantine', reason: shown }));
}

export function quarantineFromJson(value: unknown): string {
  return QUARANTINE.read('a quarantine', value).reason;
}
