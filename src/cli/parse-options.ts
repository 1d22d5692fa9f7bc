import { UsageError } from './usage.js';

/** The options of one command: the names of those that take a value and of those that take none. */
export interface OptionTable {
  readonly command: string;
  readonly withValue: readonly string[];
  readonly flags: readonly string[];
  /** Former names, each with its current name. */
  readonly renamed?: ReadonlyMap<string, string>;
}

export interface ParsedOptions {
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
  /** What follows the options: after `--`, or from the first word that is not an option. */
  readonly rest: readonly string[];
}

/** Parses `--name value` and `--name=value`. Throws `UsageError`. */
export function parseOptions(argv: readonly string[], table: OptionTable): ParsedOptions {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') return { values, flags, rest: argv.slice(at + 1) };
    if (!word.startsWith('-') || word === '-') return { values, flags, rest: argv.slice(at) };
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    if (table.flags.includes(name)) {
      if (equals >= 0) throw new UsageError(`${name} takes no value`);
      flags.add(name);
      continue;
    }
    if (!table.withValue.includes(name)) {
      const now = table.renamed?.get(name);
      throw new UsageError(
        now === undefined
          ? `unknown option ${name}; "episcope ${table.command} --help" lists the options`
          : `${name} is now ${now}`,
      );
    }
    const value = equals < 0 ? argv[++at] : word.slice(equals + 1);
    if (value === undefined || (equals < 0 && value === '--')) {
      throw new UsageError(`${name} wants a value: ${name} VALUE`);
    }
    values.set(name, value);
  }
  return { values, flags, rest: [] };
}
