import type { SlotSource } from './slot-source.js';

/** How often a reader that is not woken polls the ring in one sample period. */
const POLLS_PER_PERIOD = 16;
const MIN_POLL_MS = 1;
const MAX_POLL_MS = 100;
/** Polling interval for frames that are taken manually, without a period. */
const MANUAL_POLL_MS = 10;
/** An armed reader polls too, because the header's claim of a native writer may be from another copy of the addon. */
const ARMED_POLL_MS = 1000;

/**
 * Calls `onNews` once, asynchronously, when the head differs from `seenHead` or the ring has ended. Keeps the thread
 * alive until then, or until the returned function cancels the wait.
 */
export function waitForNews(slots: SlotSource, seenHead: number, onNews: () => void): () => void {
  const { waker } = slots;
  let disarm: (() => void) | null = null;
  const stop = () => {
    clearInterval(timer);
    disarm?.();
  };
  const news = () => {
    stop();
    onNews();
  };
  const intervalMs = () => (waker === null ? pollMs(slots.samplePeriodMs) : ARMED_POLL_MS);
  const poll = () => {
    if (slots.head !== seenHead || slots.ended) return news();
    if (intervalMs() === everyMs) return;
    // The period of the session has changed.
    clearInterval(timer);
    everyMs = intervalMs();
    timer = setInterval(poll, everyMs);
  };
  let everyMs = intervalMs();
  let timer = setInterval(poll, everyMs);
  if (waker === null) return stop;

  disarm = waker.arm(seenHead, news);
  if (disarm !== null) return stop;
  clearInterval(timer);
  const soon = setImmediate(onNews);
  return () => clearImmediate(soon);
}

function pollMs(samplePeriodMs: number): number {
  if (samplePeriodMs === 0) return MANUAL_POLL_MS;
  return Math.min(Math.max(samplePeriodMs / POLLS_PER_PERIOD, MIN_POLL_MS), MAX_POLL_MS);
}
