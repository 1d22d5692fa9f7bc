/**
 * Descriptors held in reserve while a scope is created, so that it can be undone even if none is left: opened before
 * anything is created, and closed for the undoing. One set for all concurrent starts in this thread.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CgroupError } from '../error/index.js';
import { closeAll, openUpTo } from '../kernel/descriptors.js';
import { shortageOf } from '../kernel/errno.js';

/** The removal of a scope has at most seven open: the path down to a child of it, and its control files. */
const SPARE = 8;
/** An operation that hangs in the kernel is undone when it returns; the caller waits at most this long for it. */
export const UNDO_WAIT_MS = 5_000;
const UNDO_TRIES_MS = 5_000;
const PAUSE_MS = 5;

const held: number[] = [];
let users = 0;

/** Runs `make` with descriptors in reserve. If there are none, throws `ERR_SCOPE_CREATE` with the errno beforehand. */
export async function keepingSpare<T>(make: () => Promise<T>): Promise<T> {
  if (held.length < SPARE) take();
  users += 1;
  try {
    return await make();
  } finally {
    users -= 1;
    if (users === 0) letGo();
  }
}

/** Undoes something, using the reserve if no other descriptor is left; retries until the attempt was possible. */
export async function undoing(act: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + UNDO_TRIES_MS;
  for (;;) {
    try {
      await act();
      return;
    } catch (cause) {
      // The caller throws the failure that led to the undoing; this one is not reported.
      if (shortageOf(cause) === null || performance.now() > deadline) return;
      letGo();
      await sleep(PAUSE_MS);
    }
  }
}

function take(): void {
  const errno = openUpTo(held, SPARE);
  if (errno === null) return;
  if (users === 0) letGo();
  throw new CgroupError(
    'ERR_SCOPE_CREATE',
    `too few descriptors are left to make a scope with, so nothing was made (${errno})`,
    { errno },
  );
}

function letGo(): void {
  closeAll(held);
}
