import { assertOptions, finiteNumber, invalidConfig, type OptionKeys } from '../error/index.js';

export interface ProjectionSummaryInit {
  /** RFC 3339. Default: now, in UTC, with seconds precision. */
  readonly ts?: string | undefined;
  /** The commit that the projection was requested for. */
  readonly sha: string;
  /** The current head commit. */
  readonly currentHeadSha: string;
  /** The state of the security review. */
  readonly security: string;
  /** The state of the quality review. */
  readonly quality: string;
  /** The newest events, condensed. */
  readonly recentEvents: string;
}

const SUMMARY: OptionKeys<ProjectionSummaryInit> = {
  ts: true,
  sha: true,
  currentHeadSha: true,
  security: true,
  quality: true,
  recentEvents: true,
};

/** The state of a review as one line of a log. */
export class ProjectionSummary {
  readonly ts: string;
  readonly sha: string;
  readonly currentHeadSha: string;
  readonly security: string;
  readonly quality: string;
  readonly recentEvents: string;

  /** Throws `ERR_INVALID_CONFIG`. */
  constructor(init: ProjectionSummaryInit) {
    assertOptions('the summary', init, SUMMARY);
    this.ts = text('ts', init.ts ?? now());
    this.sha = text('sha', init.sha);
    this.currentHeadSha = text('currentHeadSha', init.currentHeadSha);
    this.security = text('security', init.security);
    this.quality = text('quality', init.quality);
    this.recentEvents = text('recentEvents', init.recentEvents);
  }

  /** `ts=… sha=… current_head_sha=… security=… quality=… events=…`: one line, with control characters escaped. */
  renderLine(): string {
    const line = `ts=${this.ts} sha=${this.sha} current_head_sha=${this.currentHeadSha} security=${this.security} quality=${this.quality} events=${this.recentEvents}`;
    return line.replace(/[\p{Cc}\u2028\u2029]/gu, escaped);
  }
}

export interface ProjectionSummaryEmitterOptions {
  /** Default 1000. */
  readonly minIntervalMs?: number | undefined;
  /** A monotonic clock, ms. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

const EMITTER: OptionKeys<ProjectionSummaryEmitterOptions> = { minIntervalMs: true, now: true };

/** Lets through one summary per interval. */
export class ProjectionSummaryEmitter {
  readonly #minIntervalMs: number;
  readonly #now: () => number;
  #lastMs: number | null = null;

  /** Throws `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`. */
  constructor(options: ProjectionSummaryEmitterOptions = {}) {
    assertOptions('options', options, EMITTER);
    const { minIntervalMs = 1000, now = () => performance.now() } = options;
    if (typeof now !== 'function') throw invalidConfig('now must be a function');
    this.#minIntervalMs = finiteNumber('minIntervalMs', minIntervalMs);
    this.#now = now;
  }

  /** Returns the summary's line, or null if the last was returned less than the interval ago. */
  emitIfDue(summary: ProjectionSummary): string | null {
    const nowMs = this.#now();
    if (this.#lastMs !== null && nowMs - this.#lastMs < this.#minIntervalMs) return null;
    const line = summary.renderLine();
    this.#lastMs = nowMs;
    return line;
  }
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw invalidConfig(`${name} must be a string, not ${typeof value}`);
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
