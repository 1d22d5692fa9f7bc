import { threadMap } from '../realm/thread-map.js';

/** For each key, a promise that resolves when everything queued under it in this thread has ended. */
const ends = threadMap<string, Promise<void>>('in-turn');

/** Runs `act` after everything queued under the same key before it has settled. */
export async function inTurn(key: string, act: () => Promise<void>): Promise<void> {
  const own = (ends.get(key) ?? Promise.resolve()).then(act);
  const end = own.catch(() => {});
  ends.set(key, end);
  try {
    await own;
  } finally {
    if (ends.get(key) === end) ends.delete(key);
  }
}
