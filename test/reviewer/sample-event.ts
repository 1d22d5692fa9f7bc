import { expect } from 'vitest';

/** A lifecycle event that lacks nothing, as its line has it, with these fields instead; undefined leaves one out. */
export function eventWith(fields: { readonly [key: string]: unknown } = {}): {
  [key: string]: unknown;
} {
  return {
    ts: '2026-03-01T12:00:00Z',
    event: 'run_start',
    review_type: 'security',
    pr_number: 441,
    head_sha: '0123abcd',
    seq: 7,
    ...fields,
  };
}

/** Matches an error of the reviewer log by its code, which is what callers have. */
export function refusal(code: string): unknown {
  return expect.objectContaining({ name: 'ReviewerTelemetryError', code });
}
