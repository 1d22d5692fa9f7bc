/** The parsers of the JS engine by the name of their kernel text, to test them and to compare them with the native ones. */
import { CgroupFiles, type WordFile } from '../../src/engine/js/cgroup-files.js';
import type { ParseFault, TextParser } from '../../src/kernel/text/fault.js';
import { parseCgroupEvents, parseProcIo } from '../../src/kernel/text/flat.js';
import { parseNumber } from '../../src/kernel/text/number.js';
import { parsePressure } from '../../src/kernel/text/pressure.js';
import { parseProcStat } from '../../src/kernel/text/proc-stat.js';
import { parseStatm } from '../../src/kernel/text/statm.js';

/** Parsed values in the fixed order of the parser; null for an optional key that is absent. */
export type ParseOutcome =
  | { readonly ok: true; readonly values: readonly (bigint | null)[] }
  | ParseFault;

const files = new CgroupFiles();
const parserOf = (file: WordFile): readonly [TextParser, number] => [
  (text, length, values) => {
    const refused = file.parse(text, length);
    values.splice(0, values.length, ...file.values);
    return refused;
  },
  file.values.length,
];

/** The parser of each text and the number of values it returns. */
const PARSERS = {
  'cpu.stat': parserOf(files.cpuStat),
  'memory.current': [parseNumber, 1],
  'memory.stat': parserOf(files.memoryStat),
  'memory.events': parserOf(files.optional.find(({ name }) => name === 'memory.events')!),
  'io.stat': parserOf(files.ioStat),
  pressure: [parsePressure, 2],
  'cgroup.events': [parseCgroupEvents, 2],
  'proc.stat': [parseProcStat, 12],
  'proc.statm': [parseStatm, 3],
  'proc.io': [parseProcIo, 6],
} as const satisfies Readonly<Record<string, readonly [TextParser, number]>>;

export type KernelText = keyof typeof PARSERS;

export const KERNEL_TEXTS = Object.keys(PARSERS) as readonly KernelText[];

/** Parses the text of a kernel file. Values are exact, in the parser's order, and saturate at 2^63 − 1. */
export function parseKernelText(kind: KernelText, text: Uint8Array): ParseOutcome {
  const [parse, count] = PARSERS[kind];
  const values: (bigint | null)[] = Array.from({ length: count }, () => null);
  return parse(text, text.length, values) ?? { ok: true, values };
}
