/** Decides where the command runs, and by which tier it is measured there. */

import { posix } from 'node:path';
import type { CgroupError } from '../error/index.js';
import type { HostFacts } from '../host/index.js';
import { readWords } from '../kernel/cgroup-files.js';
import type { Tier } from '../schema/enumerations.js';
import type { Scope, ScopeStrategyChoice } from '../scope/index.js';
import { listOf } from './format.js';
import { Refusal } from './usage.js';

export interface Placement {
  /** null: no scope, the process tree is measured. */
  readonly scope: Scope | null;
  /** The tier that the collector is started with. */
  readonly tier: Tier;
  /** Why the cgroup does not measure everything; null if it does. */
  readonly reason: string | null;
}

/** The tier and the maker of the scope that the user requested. */
export interface PlacementChoice {
  readonly tier: Tier;
  readonly strategy: ScopeStrategyChoice;
}

/** Without these controllers a cgroup has no memory and io figures. */
const FULL_CONTROLLERS = ['memory', 'io'] as const;

/** The placement for `--tier proc`. */
export function askedForTree(): Placement {
  return { scope: null, tier: 'proc', reason: 'asked for by --tier proc' };
}

/** Returns the controllers that the scope must have for the requested tier. */
export function neededControllers(wanted: Tier): readonly string[] {
  return wanted === 'cgroup' ? FULL_CONTROLLERS : [];
}

/** Returns the placement in an existing scope. */
export function placeIn(scope: Scope, wanted: Tier, facts: HostFacts): Placement {
  if (wanted === 'leaf') return { scope, tier: 'leaf', reason: 'asked for by --tier leaf' };
  const missing = missingControllers(scope.controllers);
  const reason =
    missing.length === 0 ? null : lackOf(posix.dirname(scope.cgroupPath), missing, facts);
  // systemd removes its scope at the end, so falling back to /proc could not add anything then.
  const tier = scope.strategy === 'systemd-transient' && reason === null ? 'cgroup' : wanted;
  return { scope, tier, reason };
}

/**
 * Returns the placement if no scope can be made or entered. Throws `Refusal` if the requested tier or maker needs one,
 * or if the id is taken.
 */
export function placeWithout(
  cause: CgroupError,
  { tier: wanted, strategy }: PlacementChoice,
  facts: HostFacts,
): Placement {
  if (cause.code === 'ERR_SCOPE_EXISTS') {
    throw new Refusal(`${cause.message}: an episode of this id runs already; choose another --id`);
  }
  if (strategy !== 'auto') {
    throw new Refusal(
      `--scope ${strategy} is not possible here: ${cause.message}; nothing was run`,
    );
  }
  const why = whyNoScope(cause, wanted, facts);
  if (wanted === 'auto') return processTree(why);
  throw refused(wanted, why, facts);
}

function processTree(why: string): Placement {
  return { scope: null, tier: 'proc', reason: `no cgroup of its own: ${why}` };
}

/** Returns the best tier of this host without creating anything; null if nothing can be measured here. */
export function bestTier(facts: HostFacts): Exclude<Tier, 'auto'> | null {
  const { places } = facts.scopes;
  if (places.some(({ controllers }) => missingControllers(controllers).length === 0))
    return 'cgroup';
  if (places.length > 0) return 'leaf';
  return facts.proc.available ? 'proc' : null;
}

/** Describes what the host lacks, if that is the cause, rather than the failed attempt. */
function whyNoScope(cause: CgroupError, wanted: Tier, facts: HostFacts): string {
  const { noCgroup2, scopes } = facts;
  if (noCgroup2 !== null) return noCgroup2;
  if (cause.code !== 'ERR_CONTROLLER_NOT_ENABLED' || wanted !== 'cgroup') return cause.message;
  const lacks = scopes.places.map(({ parent, controllers }) => {
    const missing = missingControllers(controllers);
    return missing.length === 0 ? null : lackOf(parent, missing, facts);
  });
  const whole = lacks.every((lack) => lack !== null) && lacks.length > 0;
  return whole ? lacks.join(', ') : cause.message;
}

function missingControllers(controllers: readonly string[]): string[] {
  return FULL_CONTROLLERS.filter((each) => !controllers.includes(each));
}

function lackOf(directory: string, missing: readonly string[], facts: HostFacts): string {
  const controllers = missing.length > 1 ? 'controllers' : 'controller';
  const { enclosing } = facts.scopes;
  const held = enclosing === null ? [] : (readWords(`${enclosing}/cgroup.controllers`) ?? []);
  if (missing.every((each) => held.includes(each))) {
    return `${enclosing}, the episode that this run lives in, has processes, and so no ${listOf(missing)} ${controllers} for a scope beneath it`;
  }
  const hybrid = facts.mode === 'hybrid' ? ' (hybrid host: cgroup v1 holds them)' : '';
  return `${directory} has no ${listOf(missing)} ${controllers}${hybrid}`;
}

function refused(wanted: Tier, why: string, facts: HostFacts): Refusal {
  const leaf = wanted === 'cgroup' && facts.scopes.places.length > 0 ? '--tier leaf, ' : '';
  const instead = `use ${leaf}--tier proc or --tier auto`;
  return new Refusal(`--tier ${wanted} is not possible here: ${why}; ${instead}`);
}
