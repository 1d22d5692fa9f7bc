/** Converts what the addon reports to the types of the engine interface. */
import type { NativeFailure, NativeRefusal, NativeWarning } from '../../addon/binding.js';
import { isRefusal } from '../../addon/refusal.js';
import { errnoName } from '../../error/errno-name.js';
import { TelemetryError } from '../../error/index.js';
import { corrupt } from '../../ring/header.js';
import type { ReadFailure, SampleWarning } from '../engine.js';
import { type FailurePlace, failureToError } from '../failure-error.js';

/** Constructs an object of the addon. Throws a refusal as the error that both engines throw for it. */
export function construct<T>(place: FailurePlace, make: () => T): T {
  try {
    return make();
  } catch (thrown) {
    throw isRefusal(thrown) ? refusalToError(thrown, place) : thrown;
  }
}

function refusalToError(refusal: NativeFailure | NativeRefusal, place: FailurePlace): Error {
  switch (refusal.code) {
    case 'ERR_RING_CORRUPT':
      // The ring was checked just before.
      return corrupt('the header changed while it was being read');
    case 'ERR_INVALID_CONFIG':
      return new TelemetryError(refusal.code, 'this is no shared budget of this version');
    case 'ERR_ENGINE_UNAVAILABLE': {
      const errno = errnoOf(refusal.errno);
      const message = `the sampler thread of the native engine does not start (${errno})`;
      return new TelemetryError(refusal.code, message, { errno });
    }
    default:
      return failureToError(readFailure(refusal), place);
  }
}

export function errnoOf(errno: number | null): string | null {
  return errno === null ? null : errnoName(errno);
}

export function readFailure(failure: NativeFailure): ReadFailure {
  const { code, errno, file, pid, offset, reason } = failure;
  return { code, errno: errnoOf(errno), file, pid, offset, reason };
}

export function sampleWarning({ part, failure }: NativeWarning): SampleWarning {
  return { part, failure: readFailure(failure) };
}
