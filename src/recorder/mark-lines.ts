/** The lines between frames: how many are missing there, and why the episode was put in quarantine. */
import { outOfRange } from '../error/index.js';
import { stringifyExact } from '../ndjson/exact-json.js';
import { countOf, objectOf, textOf } from './shape.js';

/** Of a reason; longer ones are cut. Also in escapes it stays far below what a line may be. */
const MAX_REASON_LENGTH = 65_536;

export function gapLine(missed: number): string {
  return stringifyExact({ kind: 'gap', missed });
}

export function gapFromJson(value: unknown): number {
  const missed = countOf('missed', objectOf('a gap', value, ['kind', 'missed']).missed);
  if (missed === 0) throw outOfRange('missed', missed, 'must be at least 1');
  return missed;
}

export function quarantineLine(reason: string): string {
  return stringifyExact({ kind: 'quarantine', reason: reason.slice(0, MAX_REASON_LENGTH) });
}

export function quarantineFromJson(value: unknown): string {
  return textOf('reason', objectOf('a quarantine', value, ['kind', 'reason']).reason);
}
