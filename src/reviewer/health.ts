import { assertBoolean, ReviewerTelemetryError, wholeNumber } from '../error/index.js';

/** Whether what a reviewer log says may be acted upon. */
export class ReviewerTelemetryHealth {
  readonly state: 'present' | 'missing' | 'malformed';
  /** Events that the projection kept; null where it could not be read. */
  readonly lifecycleEvents: number | null;

  private constructor(state: ReviewerTelemetryHealth['state'], lifecycleEvents: number | null) {
    this.state = state;
    this.lifecycleEvents = lifecycleEvents;
  }

  /** It was read, and this many events were kept. */
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

  /** Of what `readReviewerProjectionEvents` rejected with: whatever it is, it blocks. */
  static ofError(error: unknown): ReviewerTelemetryHealth {
    const isMissing =
      error instanceof ReviewerTelemetryError && error.code === 'ERR_REVIEWER_MISSING';
    return isMissing ? ReviewerTelemetryHealth.missing() : ReviewerTelemetryHealth.malformed();
  }

  /**
   * Whether a progression that takes this log for its authority must not go on: it is missing, malformed, or says
   * nothing. What is not attempted is not blocked.
   */
  blocksAuthoritativeProgression(attempting: boolean): boolean {
    assertBoolean('attempting', attempting);
    // Unless it was clearly said not to be attempted.
    if (attempting === false) return false;
    return this.state !== 'present' || this.lifecycleEvents === 0;
  }
}
