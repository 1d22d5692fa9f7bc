/** Writes the notable moments of an episode to a reviewer log. */

import {
  assertObject,
  assertOptions,
  invalidConfig,
  type OptionKeys,
  outOfRange,
  TelemetryError,
} from '../error/index.js';
import type { TelemetryFrame } from '../frame/index.js';
import { type Exiting, exitOf } from '../kernel/child-exit.js';
import { isInstanceOf } from '../realm/index.js';
import { lineOfEvent } from './lifecycle-event.js';
import { factsOf, type ReachedLimit, type RunEnd, toldOfEnd } from './run-end.js';
import type { ReviewerLifecycleEventInit } from './schema.js';
import { nextSeqOf } from './sequence.js';
import { StallWatch } from './stall-watch.js';
import { ReviewerTelemetryWriter } from './writer.js';

const MIN_STALL_MS = 10;
/** The maximum of Node's timers. */
const MAX_STALL_MS = 2 ** 31 - 1;
/** Checks per stall time: a stall is reported late by at most one check. */
const LOOKS_PER_STALL = 8;

/** The part of a `TelemetryHandle` that a report uses. */
export interface ReportedSession {
  readonly episodeId: string;
  readonly pid: number;
  readonly startMonoNs: number;
  latest(): TelemetryFrame | null;
  once(event: 'exhausted', listener: (reached: ReachedLimit) => void): unknown;
  once(event: 'stopped', listener: (end: { readonly frame: TelemetryFrame }) => void): unknown;
  emit(event: 'warning', error: TelemetryError): unknown;
}

/**
 * Reports the episode as a review run: `run_start` is written when the session starts, `run_complete` or `run_crash`
 * when the session and the process have ended, and `stall_detected` meanwhile; once the process has ended, this one is
 * kept alive until its end is written. Further keys hold the episode's id, its pid and its figures up to the session's
 * end.
 */
export interface ReviewerRun {
  readonly writer: ReviewerTelemetryWriter;
  /** The episode's process, a child of this one: only the parent learns how it ends. */
  readonly child: Exiting;
  /** `security`, `quality`, … */
  readonly reviewType: string;
  readonly prNumber: number;
  readonly headSha: string;
  /** Default: the episode's id. */
  readonly runId?: string | undefined;
  readonly restartCount?: number | undefined;
  /** Writes `stall_detected` once the episode has used no cpu and done no io for this time, ms (10 or more). */
  readonly stallAfterMs?: number | undefined;
  /** Default: one more than the latest seq of this pull request, in the log or given out in this thread. */
  readonly nextSeq?: (() => number | bigint | Promise<number | bigint>) | undefined;
}

const REVIEWER_RUN: OptionKeys<ReviewerRun> = {
  writer: true,
  child: true,
  reviewType: true,
  prNumber: true,
  headSha: true,
  runId: true,
  restartCount: true,
  stallAfterMs: true,
  nextSeq: true,
};

/** Throws `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`, `ERR_REVIEWER_INVALID_EVENT`. */
export function assertReviewerRun(run: ReviewerRun, pid: number, isManual: boolean): void {
  assertOptions('reviewer', run, REVIEWER_RUN);
  if (!isInstanceOf(ReviewerTelemetryWriter, run.writer)) {
    throw invalidConfig('reviewer.writer must be a ReviewerTelemetryWriter');
  }
  assertObject('reviewer.child', run.child);
  if (run.child.pid !== pid || typeof run.child.once !== 'function') {
    throw invalidConfig(`reviewer.child must be the ChildProcess of the episode's pid, ${pid}`);
  }
  if (run.nextSeq !== undefined && typeof run.nextSeq !== 'function') {
    throw invalidConfig('reviewer.nextSeq must be a function');
  }
  assertStallAfter(run.stallAfterMs, isManual);
  lineOfEvent({ ...fieldsOf(run, 'x'), event: 'run_start', ts: now(), seq: 1 });
}

function assertStallAfter(ms: number | undefined, isManual: boolean): void {
  if (ms === undefined) return;
  if (typeof ms !== 'number') throw invalidConfig('reviewer.stallAfterMs must be a number');
  if (!(ms >= MIN_STALL_MS && ms <= MAX_STALL_MS)) {
    throw outOfRange('reviewer.stallAfterMs', ms, `must be ${MIN_STALL_MS} to ${MAX_STALL_MS}`);
  }
  if (isManual) throw invalidConfig('stallAfterMs needs a sampler: a manual session has none');
}

type RunFields = Pick<
  ReviewerLifecycleEventInit,
  'reviewType' | 'prNumber' | 'headSha' | 'runId' | 'restartCount'
>;

function fieldsOf(run: ReviewerRun, episodeId: string): RunFields {
  const { reviewType, prNumber, headSha, runId = episodeId, restartCount = null } = run;
  return { reviewType, prNumber, headSha, runId, restartCount };
}

/** Writes the events of `run`; a failed write becomes a `warning` event of the session. */
export function reportRun(session: ReportedSession, run: ReviewerRun, isManual: boolean): void {
  new RunReport(session, run).begin(isManual);
}

class RunReport {
  readonly #session: ReportedSession;
  readonly #run: ReviewerRun;
  readonly #fields: RunFields;
  /** Settles when the previous event has its seq. */
  #last: Promise<void> = Promise.resolve();
  #exhausted: ReachedLimit | null = null;

  constructor(session: ReportedSession, run: ReviewerRun) {
    this.#session = session;
    this.#run = run;
    this.#fields = fieldsOf(run, session.episodeId);
  }

  begin(isManual: boolean): void {
    const oomKillsBefore = this.#session.latest()?.oomKills ?? null;
    this.#session.once('exhausted', (exhausted) => {
      this.#exhausted = exhausted;
    });
    this.#tell({ event: 'run_start' }, {});
    const stopped = new Promise<TelemetryFrame>((resolve) => {
      this.#session.once('stopped', ({ frame }) => resolve(frame));
    });
    this.#watchForStalls();
    const exited = exitOf(this.#run.child);
    // A manual session ends only when its owner stops it.
    if (!isManual) void exited.then(() => keepAliveUntil(stopped));
    void Promise.all([exited, stopped]).then(([exit, frame]) => {
      const { oomKills } = frame;
      const end: RunEnd = {
        exit,
        exhausted: this.#exhausted,
        oomKills: oomKills === null ? null : oomKills - (oomKillsBefore ?? 0),
      };
      this.#tell(toldOfEnd(end), factsOf(frame, this.#session.startMonoNs, end));
    });
  }

  #watchForStalls(): void {
    const { stallAfterMs } = this.#run;
    if (stallAfterMs === undefined) return;
    const watch = new StallWatch(stallAfterMs);
    const timer = setInterval(() => {
      const frame = this.#latest();
      const idleNs = frame === null ? null : watch.see(frame);
      if (idleNs === null) return;
      const detail = `no cpu was used and no io done for ${Math.round(idleNs / 1e6)} ms`;
      this.#tell({ event: 'stall_detected', detail }, { idle_ns: idleNs });
    }, stallAfterMs / LOOKS_PER_STALL).unref();
    this.#session.once('stopped', () => clearInterval(timer));
  }

  /** Also null if the ring was corrupted by another thread, which the session reports itself. */
  #latest(): TelemetryFrame | null {
    try {
      return this.#session.latest();
    } catch {
      return null;
    }
  }

  #tell(
    told: Pick<ReviewerLifecycleEventInit, 'event' | 'reasonCode' | 'detail'>,
    facts: { readonly [key: string]: unknown },
  ): void {
    const ts = now();
    const extra = { episode_id: this.#session.episodeId, pid: this.#session.pid, ...facts };
    const { writer, prNumber, nextSeq = () => nextSeqOf(writer.path, prNumber) } = this.#run;
    this.#last = this.#last.then(async () => {
      try {
        const seq = await nextSeq();
        await writer.appendLifecycleEvent({ ...this.#fields, ...told, ts, seq, extra });
      } catch (cause) {
        this.#session.emit('warning', asTelemetryError(cause));
      }
    });
  }
}

/** Sampling does not keep the process alive, but the run's end still has to be written. */
function keepAliveUntil(settled: Promise<unknown>): void {
  const timer = setInterval(() => {}, MAX_STALL_MS);
  void settled.then(() => clearInterval(timer));
}

/** `nextSeq` is the caller's function and may throw anything. */
function asTelemetryError(cause: unknown): TelemetryError {
  if (cause instanceof TelemetryError) return cause;
  return new TelemetryError('ERR_SINK_FAILED', `no seq for the reviewer log: ${String(cause)}`, {
    cause,
  });
}

function now(): string {
  return new Date().toISOString();
}
