/** The names of the schema `apm2.reviewer.lifecycle_event.v1`, which other programs read and write too. */
import type { ExactJson } from '../ndjson/exact-json.js';

export const REVIEWER_TELEMETRY_SCHEMA = 'apm2.reviewer.lifecycle_event.v1';
export const REVIEWER_TELEMETRY_SCHEMA_VERSION = 1;

/** The maximum of `pr_number` and `restart_count`. */
export const MAX_U32 = 2 ** 32 - 1;

export const REVIEWER_EVENT_KINDS = [
  'run_start',
  'run_complete',
  'run_crash',
  'stall_detected',
  'model_fallback',
  'sha_drift',
] as const;

export type ReviewerLifecycleEventKind = (typeof REVIEWER_EVENT_KINDS)[number];

/** One transition of a review run. A null value is left out of the line. */
export interface ReviewerLifecycleEvent {
  readonly schema: typeof REVIEWER_TELEMETRY_SCHEMA;
  readonly schemaVersion: typeof REVIEWER_TELEMETRY_SCHEMA_VERSION;
  /** RFC 3339, as written. */
  readonly ts: string;
  readonly event: ReviewerLifecycleEventKind;
  /** `security`, `quality`, … */
  readonly reviewType: string;
  /** 0 to 2^32 − 1. */
  readonly prNumber: number;
  readonly headSha: string;
  /** From 1, ascending in a stream. */
  readonly seq: bigint;
  readonly runId: string | null;
  /** 0 to 2^32 − 1. */
  readonly restartCount: number | null;
  readonly reasonCode: string | null;
  readonly detail: string | null;
  /** The keys that the schema does not know, sorted by name. Integers beyond 2^53 − 1 are read as bigints. */
  readonly extra: { readonly [key: string]: ExactJson };
}

/** The argument of `appendLifecycleEvent`: members that a line may lack may be left out. */
export type ReviewerLifecycleEventInit = Pick<
  ReviewerLifecycleEvent,
  'ts' | 'event' | 'reviewType' | 'prNumber' | 'headSha'
> & {
  /** From 1. A number up to 2^53 − 1, or a bigint up to 2^64 − 1. */
  readonly seq: number | bigint;
} & Partial<
    Pick<
      ReviewerLifecycleEvent,
      'schema' | 'schemaVersion' | 'runId' | 'restartCount' | 'reasonCode' | 'detail'
    >
  > & {
    readonly extra?: { readonly [key: string]: unknown } | undefined;
  };

/**
 * A lifecycle event as the object of its line: the keys of the schema in order, then the unknown keys (except names
 * like `1`, which JavaScript puts first).
 */
export interface ReviewerEventObject {
  readonly [key: string]: ExactJson;
}
