/** Events by their number, and what a log says of them. */
import { existsSync, readFileSync } from 'node:fs';

export const ENGINES = ['native', 'js'] as const;

export function eventOf(seq: number | bigint, more: object = {}): Record<string, unknown> {
  return {
    ts: '2026-11-26T07:00:00Z',
    event: 'run_start',
    review_type: 'security',
    pr_number: 7,
    head_sha: 'abc123',
    seq,
    ...more,
  };
}

export const textOf = (path: string): string =>
  existsSync(path) ? readFileSync(path, 'utf8') : '';

/** The numbers of what a file has, line by line; a line that is no event is NaN. */
export function seqsIn(path: string): number[] {
  const lines = textOf(path).split('\n');
  // Every line ends with a newline.
  if (lines.pop() !== '') lines.push('torn');
  return lines.map((line) => Number(/^\{"schema":.*,"seq":(\d+).*\}$/.exec(line)?.[1]));
}

/** What was rotated away, and then the log. */
export const allSeqs = (path: string): number[] => [...seqsIn(`${path}.1`), ...seqsIn(path)];

export const upTo = (count: number, from = 1): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

/** What it was rejected with, null where it was not. */
export const rejection = (act: Promise<unknown>): Promise<unknown> =>
  act.then(
    () => null,
    (error: unknown) => error,
  );
