/**
 * Descriptors kept back while a scope is made, so that it can be unmade where none is left: opened before anything is
 * made, and let go of for the undoing. One set for all that start at the same time in this thread.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CgroupError } from '../error/index.js';
import { closeAll, openUpTo } from '../kernel/descriptors.js';
import { shortageOf } from '../kernel/errno.js';

/** The removal of a scope has seven open at most: the way down to a child of it, and its control files. */
const SPARE = 8;
/** What hangs in the kernel is undone when it comes back; nobody waits longer for it than this. */
export const UNDO_WAIT_MS = 5_000;
const UNDO_TRIES_MS = 5_000;
const PAUSE_MS = 5;

const held: number[] = [];
let users = 0;

/** Runs `make` with descriptors kept back. Throws `ERR_SCOPE_CREATE` with the errno, before anything, where there are none. */
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

/** Undoes something, with what was kept back where there is nothing else, and again until it could be tried. */
export async function undoing(act: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + UNDO_TRIES_MS;
  for (;;) {
    try {
      await act();
      return;
    } catch (cause) {
      // The caller throws the failure that led to the undoing; this one is not told.
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
