import type { SlotSource } from './slot-source.js';

/** Looks at the ring per sample period, where nobody wakes the reader. */
const LOOKS_PER_PERIOD = 16;
const MIN_LOOK_MS = 1;
const MAX_LOOK_MS = 100;
/** Frames that are taken by hand have no period. */
const MANUAL_LOOK_MS = 10;
/** An armed reader looks too: the header's word for a native writer is a claim, of another copy of the addon even. */
const ARMED_LOOK_MS = 1000;

/**
 * Calls `onNews` once, later: when the head is not `seenHead` any more or the ring has ended. Keeps the thread alive
 * until then, or until the returned function calls it off.
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
  const intervalMs = () => (waker === null ? lookMs(slots.samplePeriodMs) : ARMED_LOOK_MS);
  const look = () => {
    if (slots.head !== seenHead || slots.ended) return news();
    if (intervalMs() === everyMs) return;
    // The session has another period now.
    clearInterval(timer);
    everyMs = intervalMs();
    timer = setInterval(look, everyMs);
  };
  let everyMs = intervalMs();
  let timer = setInterval(look, everyMs);
  if (waker === null) return stop;

  disarm = waker.arm(seenHead, news);
  if (disarm !== null) return stop;
  clearInterval(timer);
  const soon = setImmediate(onNews);
  return () => clearImmediate(soon);
}

function lookMs(samplePeriodMs: number): number {
  if (samplePeriodMs === 0) return MANUAL_LOOK_MS;
  return Math.min(Math.max(samplePeriodMs / LOOKS_PER_PERIOD, MIN_LOOK_MS), MAX_LOOK_MS);
}
