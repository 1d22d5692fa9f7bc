import { threadMap } from '../realm/thread-map.js';

/** By key: when all that was asked for it so far in this thread has ended. */
const ends = threadMap<string, Promise<void>>('in-turn');

/** Does `act` once whatever was asked for the same key before has ended, however it did. */
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
