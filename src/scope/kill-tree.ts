/** Killing a process tree that has no cgroup of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcessStat } from '../host/process-identity.js';

const MAX_ROUNDS = 200;

/**
 * Kills every descendant of `root` (not `root` itself, never this process): stops them all, lists again until
 * nothing new appears and all have stopped, then SIGKILLs. A walk that kills as it goes leaves the children that
 * were forked behind it. Complete for descendants linked by parentage; with a subreaper as `root` also for orphans.
 *
 * Returns how many were killed.
 */
export async function killDescendants(root: number): Promise<number> {
  const stopped = new Set<number>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const living = livingDescendants(root);
    const fresh = living.filter(({ pid }) => !stopped.has(pid));
    for (const { pid } of fresh) {
      send(pid, 'SIGSTOP');
      stopped.add(pid);
    }
    // A stop takes effect when the target next returns from the kernel: until then it may still fork.
    if (fresh.length === 0 && living.every(({ state }) => state === 'T' || state === 't')) break;
    await sleep(1);
  }
  const victims = livingDescendants(root);
  for (const { pid } of victims) send(pid, 'SIGKILL');
  return victims.length;
}

interface Living {
  readonly pid: number;
  readonly state: string;
}

function livingDescendants(root: number): Living[] {
  const found: Living[] = [];
  const seen = new Set([root, process.pid]);
  const queue = childrenOf(root);
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    if (seen.has(pid)) continue;
    seen.add(pid);
    const state = readProcessStat(pid)?.state;
    if (state === undefined) continue;
    // A main thread that ended before its process is a zombie with living company: it cannot show that it stopped.
    if (state !== 'Z' && state !== 'X') found.push({ pid, state });
    else if (threadsOf(pid).length > 1) found.push({ pid, state: 'T' });
    queue.push(...childrenOf(pid));
  }
  return found;
}

/** A child belongs to the thread that forked it: all threads are asked. */
function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((tid) => {
    try {
      const text = readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1');
      return text.split(' ').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function send(pid: number, signal: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone, or another user's: neither can be stopped by us.
  }
}
