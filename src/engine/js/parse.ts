/** The parser of each kernel text, by name, so that tests can compare the parsers of both engines. */

import type { TextParser } from '../../kernel/text/fault.js';
import { parseCgroupEvents, parseProcIo } from '../../kernel/text/flat.js';
import { parseNumber } from '../../kernel/text/number.js';
import { parsePressure } from '../../kernel/text/pressure.js';
import { parseProcStat } from '../../kernel/text/proc-stat.js';
import { parseStatm } from '../../kernel/text/statm.js';
import type { KernelText } from '../../schema/enumerations.js';
import type { ParseOutcome } from '../engine.js';
import { CgroupFiles, type WordFile } from './cgroup-files.js';

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
const PARSERS: Readonly<Record<KernelText, readonly [TextParser, number]>> = {
  'cpu.stat': parserOf(files.cpuStat),
  'memory.current': [parseNumber, 1],
  'memory.stat': parserOf(files.memoryStat),
  'memory.events': parserOf(files.optional[0]!),
  'io.stat': parserOf(files.ioStat),
  pressure: [parsePressure, 2],
  'cgroup.events': [parseCgroupEvents, 2],
  'proc.stat': [parseProcStat, 12],
  'proc.statm': [parseStatm, 3],
  'proc.io': [parseProcIo, 6],
};

/** Parses the text of a kernel file. Values are exact, in the parser's order, and saturate at 2^63 − 1. */
export function parseKernelText(kind: KernelText, text: Uint8Array): ParseOutcome {
  const [parse, count] = PARSERS[kind];
  const values: (bigint | null)[] = Array.from({ length: count }, () => null);
  return parse(text, text.length, values) ?? { ok: true, values };
}
