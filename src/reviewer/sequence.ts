/** The next `seq` of a pull request's events in a log. */
import { ReviewerTelemetryError } from '../error/index.js';
import { readReviewerProjectionEvents } from './projection.js';

/** A pull request that is not among so many newest is looked up in the log again. */
const MAX_KNOWN = 1_000;
/** By log and pull request, the longest unused first: the last that was given out here. */
const given = new Map<string, Promise<bigint>>();

/**
 * One more than the log's latest and than what was given out in this thread before. Other processes may give out the
 * same.
 *
 * Rejects with what `readReviewerProjectionEvents` does, but for a log that is not there yet.
 */
export async function nextSeqOf(path: string, prNumber: number): Promise<bigint> {
  const key = `${prNumber} ${path}`;
  const before = given.get(key) ?? Promise.resolve(0n);
  const next = before.then(async (last) => {
    const latest = last > 0n ? last : await latestSeqIn(path, prNumber);
    return latest + 1n;
  });
  // A log that could not be read is read again for the next.
  given.delete(key);
  given.set(
    key,
    next.catch(() => 0n),
  );
  const [oldest] = given.keys();
  if (given.size > MAX_KNOWN && oldest !== undefined) given.delete(oldest);
  return next;
}

async function latestSeqIn(path: string, prNumber: number): Promise<bigint> {
  try {
    const { latestSeq } = await readReviewerProjectionEvents(path, { prNumber, maxEvents: 1 });
    return latestSeq;
  } catch (cause) {
    const isMissing =
      cause instanceof ReviewerTelemetryError && cause.code === 'ERR_REVIEWER_MISSING';
    if (isMissing) return 0n;
    throw cause;
  }
}
