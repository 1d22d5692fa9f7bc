import { basename } from 'node:path';
import type { EngineChoice } from '../engine/select.js';
import { isEpisodeId } from '../episode/index.js';
import { readProcessStat } from '../kernel/process-identity.js';
import { MAX_SAMPLE_PERIOD_MS, MIN_SAMPLE_PERIOD_MS } from '../policy/index.js';
import { MAX_EPISODE_ID_LENGTH } from '../schema/bounds.js';
import { EXHAUST_ACTIONS, type ExhaustAction, TIERS, type Tier } from '../schema/enumerations.js';
import { SCOPE_STRATEGIES, type ScopeStrategyChoice } from '../scope/index.js';
import type { Limits } from './limits.js';
import { type OptionTable, parseOptions } from './parse-options.js';
import { parseSize, parseTime } from './quantity.js';
import { UsageError } from './usage.js';

export interface RunOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly id: string;
  readonly periodMs: number;
  readonly engine: EngineChoice;
  readonly tier: Tier;
  readonly strategy: ScopeStrategyChoice;
  readonly limits: Limits;
  readonly jsonFile: string | null;
  readonly recordFile: string | null;
  readonly quiet: boolean;
}

const DEFAULT_PERIOD_MS = 100;
const ENGINES: readonly EngineChoice[] = ['auto', 'native', 'js'];

const TABLE: OptionTable = {
  command: 'run',
  withValue: [
    '--period',
    '--json',
    '--record',
    '--engine',
    '--id',
    '--tier',
    '--scope',
    '--cpu-ms',
    '--wall-ms',
    '--io-bytes',
    '--memory-max',
    '--on-exhausted',
  ],
  flags: ['--quiet', '--help'],
  renamed: new Map([['--source', '--tier']]),
};

/** Returns the options of `episcope run`, or `'help'`. Throws `UsageError`. */
export function parseRunOptions(argv: readonly string[]): RunOptions | 'help' {
  const { values, flags, rest } = parseOptions(argv, TABLE);
  if (flags.has('--help')) return 'help';
  const options = {
    periodMs: period(values.get('--period')),
    engine: oneOf('--engine', values.get('--engine') ?? 'auto', ENGINES),
    tier: oneOf('--tier', values.get('--tier') ?? 'auto', TIERS),
    strategy: oneOf('--scope', values.get('--scope') ?? 'auto', SCOPE_STRATEGIES),
    limits: limits(values),
    jsonFile: file('--json', values.get('--json')),
    recordFile: file('--record', values.get('--record')),
    quiet: flags.has('--quiet'),
  };
  if (options.tier === 'proc' && options.strategy !== 'auto') {
    throw new UsageError(`--tier proc has no cgroup for --scope ${options.strategy} to make`);
  }
  const id = values.get('--id');
  if (!isEpisodeId(id ?? 'default')) {
    throw new UsageError(
      `--id wants 1 to ${MAX_EPISODE_ID_LENGTH} of [A-Za-z0-9_-], not ${JSON.stringify(id?.slice(0, 140))}`,
    );
  }
  const [command, ...args] = rest;
  if (command === undefined) {
    throw new UsageError('nothing to run: episcope run [options] -- command [argument…]');
  }
  return { ...options, id: id ?? defaultId(command), command, args };
}

/** Returns a readable id that is unique since boot: a pair of pid and start time never repeats. */
function defaultId(command: string): string {
  const name = basename(command).replace(/[^A-Za-z0-9_-]+/g, '-');
  const unique = `${process.pid}-${readProcessStat('self')?.startTicks ?? Date.now()}`;
  return `${name.slice(0, 64) || 'run'}-${unique}`;
}

function period(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PERIOD_MS;
  const ms = Number(parseTime('--period', text)) / 1e6;
  const isWhole = Number.isInteger(ms);
  if (isWhole && ms >= MIN_SAMPLE_PERIOD_MS && ms <= MAX_SAMPLE_PERIOD_MS) return ms;
  throw new UsageError(
    `--period wants whole ms from ${MIN_SAMPLE_PERIOD_MS} to ${MAX_SAMPLE_PERIOD_MS}, not ${JSON.stringify(text)}`,
  );
}

/** A user who limits a run expects it to end at the limit. */
const DEFAULT_ACTION: ExhaustAction = 'kill';

function limits(values: ReadonlyMap<string, string>): Limits {
  const limit = (option: string, parse: typeof parseTime): bigint | null => {
    const text = values.get(option);
    return text === undefined ? null : positive(option, text, parse(option, text));
  };
  const given = {
    cpuNs: limit('--cpu-ms', parseTime),
    wallNs: limit('--wall-ms', parseTime),
    ioBytes: limit('--io-bytes', parseSize),
    memoryBytes: limit('--memory-max', parseSize),
  };
  const action = values.get('--on-exhausted');
  if (action !== undefined && Object.values(given).every((each) => each === null)) {
    throw new UsageError(
      '--on-exhausted needs a limit: --cpu-ms, --wall-ms, --io-bytes or --memory-max',
    );
  }
  const onExhausted = oneOf('--on-exhausted', action ?? DEFAULT_ACTION, EXHAUST_ACTIONS);
  return { ...given, onExhausted };
}

/** Refuses 0, which means unlimited in the library but could be read as “nothing allowed”. */
function positive(option: string, text: string, amount: bigint): bigint {
  if (amount > 0n) return amount;
  throw new UsageError(
    `${option} ${JSON.stringify(text)} is no limit: leave the option out for none`,
  );
}

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const value = known.find((each) => each === text);
  if (value !== undefined) return value;
  throw new UsageError(`${name} wants one of ${known.join(', ')}, not ${JSON.stringify(text)}`);
}

function file(name: string, text: string | undefined): string | null {
  if (text === '') throw new UsageError(`${name} wants the name of a file`);
  return text ?? null;
}
