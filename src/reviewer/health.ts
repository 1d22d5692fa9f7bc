import { assertBoolean, ReviewerTelemetryError, wholeNumber } from '../error/index.js';

/** Whether a decision may be based on a reviewer log. */
export class ReviewerTelemetryHealth {
  readonly state: 'present' | 'missing' | 'malformed';
  /** Events that the projection kept; null if it could not be read. */
  readonly lifecycleEvents: number | null;

  private constructor(state: ReviewerTelemetryHealth['state'], lifecycleEvents: number | null) {
    this.state = state;
    this.lifecycleEvents = lifecycleEvents;
  }

  /** The log was read, and this many events were kept. */
  static present(lifecycleEvents: number): ReviewerTelemetryHealth {
    const events = Number(wholeNumber('lifecycleEvents', lifecycleEvents));
    return new ReviewerTelemetryHealth('present', events);
  }

  static missing(): ReviewerTelemetryHealth {
    return new ReviewerTelemetryHealth('missing', null);
  }

  static malformed(): ReviewerTelemetryHealth {
    return new ReviewerTelemetryHealth('malformed', null);
  }

  /** The health for an error of `readReviewerProjectionEvents`, which always blocks. */
  static ofError(error: unknown): ReviewerTelemetryHealth {
    const isMissing =
      error instanceof ReviewerTelemetryError && error.code === 'ERR_REVIEWER_MISSING';
    return isMissing ? ReviewerTelemetryHealth.missing() : ReviewerTelemetryHealth.malformed();
  }

  /**
   * Whether a progression that relies on this log must not go on, because the log is missing, malformed or has no
   * events. A progression that is not attempted is not blocked.
   */
  blocksAuthoritativeProgression(attempting: boolean): boolean {
    assertBoolean('attempting', attempting);
    // Any value other than false counts as an attempt.
    if (attempting === false) return false;
    return this.state !== 'present' || this.lifecycleEvents === 0;
  }
}
