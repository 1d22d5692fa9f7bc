/** Where the command is to run, and how it is measured there. */
import type { Tier } from '../engine/engine.js';
import { CgroupError } from '../error/index.js';
import type { HostFacts, ProcessControl } from '../host/index.js';
import { createScope, type DirectScope, removeScope } from '../scope/index.js';
import { listOf } from './format.js';
import { Refusal } from './usage.js';

export interface Placement {
  /** null: the process tree, where we are. */
  readonly scope: DirectScope | null;
  /** What the collector is asked for. */
  readonly source: Tier;
  /** Why it is not all measured by the cgroup; null where it is. */
  readonly reason: string | null;
}

/** Without these a cgroup cannot tell memory and io itself. */
const FULL_CONTROLLERS = ['memory', 'io'] as const;

/**
 * Makes the scope, or says why there is none. Throws `Refusal` where the tier that was asked for cannot be had,
 * with nothing left behind.
 */
export async function place(
  id: string,
  wanted: Tier,
  facts: HostFacts,
  control: ProcessControl | null,
): Promise<Placement> {
  if (wanted === 'proc')
    return { scope: null, source: 'proc', reason: 'asked for by --source proc' };
  const made = makeScope(id, facts, control, wanted === 'cgroup');
  if (typeof made === 'string') {
    if (wanted === 'auto') return processTree(made);
    throw refused(wanted, made, facts);
  }
  if (wanted === 'leaf') {
    return { scope: made, source: 'leaf', reason: 'asked for by --source leaf' };
  }
  const missing = missingControllers(made.controllers);
  if (missing.length === 0) return { scope: made, source: wanted, reason: null };
  const lack = lackOf(made.slicePath, missing, facts);
  if (wanted === 'auto') return { scope: made, source: 'auto', reason: lack };
  await removeScope(made, control);
  throw refused(wanted, lack, facts);
}

/** The placement when no scope can be had, or entered. */
export function processTree(why: string): Placement {
  return { scope: null, source: 'proc', reason: `no cgroup of its own: ${why}` };
}

/** What the best tier of this host is, without making anything. */
export function bestTier(facts: HostFacts): Exclude<Tier, 'auto'> {
  const { places } = facts.scopes;
  if (places.some(({ controllers }) => missingControllers(controllers).length === 0))
    return 'cgroup';
  return places.length > 0 ? 'leaf' : 'proc';
}

function makeScope(
  id: string,
  facts: HostFacts,
  control: ProcessControl | null,
  full: boolean,
): DirectScope | string {
  const { cgroup2, scopes } = facts;
  if (cgroup2 === null) {
    return facts.mode === 'v1' ? 'this host has cgroup v1 only' : 'no cgroup2 is mounted';
  }
  const whyNot = scopes.refused.map(({ directory, reason }) => `${directory}: ${reason}`);
  for (const place of scopes.places) {
    const missing = missingControllers(place.controllers);
    if (full && missing.length > 0) {
      whyNot.push(lackOf(place.parent, missing, facts));
      continue;
    }
    try {
      return createScope(id, place, { control });
    } catch (cause) {
      if (!(cause instanceof CgroupError)) throw cause;
      if (cause.code === 'ERR_SCOPE_EXISTS') {
        throw new Refusal(
          `${cause.message}: an episode of this id runs already; choose another --id`,
        );
      }
      whyNot.push(cause.message);
    }
  }
  return whyNot.join(', ');
}

function missingControllers(controllers: readonly string[]): string[] {
  return FULL_CONTROLLERS.filter((each) => !controllers.includes(each));
}

function lackOf(directory: string, missing: readonly string[], facts: HostFacts): string {
  const controllers = missing.length > 1 ? 'controllers' : 'controller';
  const hybrid = facts.mode === 'hybrid' ? ' (hybrid host: cgroup v1 holds them)' : '';
  return `${directory} has no ${listOf(missing)} ${controllers}${hybrid}`;
}

function refused(wanted: Tier, why: string, facts: HostFacts): Refusal {
  const leaf = wanted === 'cgroup' && facts.scopes.places.length > 0 ? '--source leaf, ' : '';
  const instead = `use ${leaf}--source proc or --source auto`;
  return new Refusal(`--source ${wanted} is not possible here: ${why}; ${instead}`);
}
