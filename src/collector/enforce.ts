/** What an exhausted budget does to the episode of a manual session: nobody else is there to do it. */

import { setTimeout as delay } from 'node:timers/promises';
import type { EpisodeSpec, FailedAction } from '../engine/engine.js';
import { cgroupDirectory } from '../engine/failure-error.js';
import { cgroupActions } from '../kernel/cgroup-actions.js';
import { readCgroupEvents } from '../kernel/cgroup-files.js';
import { hasExited, readProcessStat } from '../kernel/process-identity.js';
import { type KillPlan, killEverything } from '../kernel/process-killer.js';
import { whyForeignProc } from '../kernel/procfs.js';
import { ENFORCE_LIMIT_NS } from '../schema/bounds.js';
import type { ExhaustAction } from '../schema/enumerations.js';

/** A process in uninterruptible sleep neither freezes nor dies. */
const LIMIT_MS = Number(ENFORCE_LIMIT_NS) / 1e6;

/** The episode, as it was when its session began. */
export interface EnforcedEpisode {
  readonly cgroupPath: string | null;
  readonly pid: number;
  /** Ticks since boot; null: it was gone already, or its pid is another namespace's, so that nobody is signalled by it. */
  readonly starttime: bigint | null;
  /** False for fixtures: nobody is signalled. */
  readonly isReal: boolean;
}

export function enforcedEpisode({
  pid,
  procRoot,
  cgroup,
}: Omit<EpisodeSpec, 'ring'>): EnforcedEpisode {
  const isOurs = procRoot === '/proc' && whyForeignProc() === null;
  const stat = isOurs ? readProcessStat(pid) : null;
  return {
    cgroupPath: cgroup === null ? null : cgroupDirectory(cgroup),
    pid,
    starttime: stat === null ? null : BigInt(stat.startTicks),
    isReal: cgroup?.requireCgroupfs !== false,
  };
}

/** Takes the action, or where it fails the next weaker one, which `warn` is told. Resolves when it has come about. */
export async function enforce(
  wanted: ExhaustAction,
  episode: EnforcedEpisode,
  warn: (failed: FailedAction) => void,
): Promise<void> {
  for (let action = wanted; action !== 'stop'; ) {
    const { cgroupPath } = episode;
    const errno = await (action === 'kill' ? kill(episode) : freeze(cgroupPath));
    if (errno === undefined) return;
    const next = action === 'kill' && cgroupPath !== null ? 'freeze' : 'stop';
    warn({ action, errno, next });
    action = next;
  }
}

/** undefined when it is frozen; null: there is no cgroup; or the errno. */
async function freeze(cgroupPath: string | null): Promise<string | null | undefined> {
  if (cgroupPath === null) return null;
  const errno = await cgroupActions().write(cgroupPath, 'cgroup.freeze', '1');
  return errno ?? (await comesAbout(() => readCgroupEvents(cgroupPath)?.frozen !== false));
}

async function kill(episode: EnforcedEpisode): Promise<string | undefined> {
  const { cgroupPath, pid, starttime, isReal } = episode;
  if (cgroupPath !== null) {
    const inside = { cgroup: cgroupPath, processes: [], reapers: [], maySignal: isReal };
    const errno = await killAll(inside);
    if (errno !== null) return errno;
  }
  // The process may not have been moved in: it is the episode's all the same.
  const alive = (): boolean => {
    const stat = readProcessStat(pid);
    return stat !== null && BigInt(stat.startTicks) === starttime && !hasExited(stat);
  };
  const outside = isReal && starttime !== null && alive();
  if (outside) {
    const processes = [{ pid, starttime }];
    const errno = await killAll({ cgroup: null, processes, reapers: [], maySignal: true });
    if (errno !== null) return errno;
  }
  const populated = () => cgroupPath !== null && readCgroupEvents(cgroupPath)?.populated === true;
  return comesAbout(() => !populated() && !(outside && alive()));
}

/** Asked again while not everybody was found. */
async function killAll(plan: KillPlan): Promise<string | null> {
  const end = performance.now() + LIMIT_MS;
  let errno = await killEverything(plan);
  while (errno === 'EAGAIN' && performance.now() < end) errno = await killEverything(plan);
  return errno;
}

async function comesAbout(condition: () => boolean): Promise<'ETIMEDOUT' | undefined> {
  const end = performance.now() + LIMIT_MS;
  while (!condition()) {
    if (performance.now() > end) return 'ETIMEDOUT';
    await delay(1);
  }
  return undefined;
}
