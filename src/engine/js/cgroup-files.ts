/**
 * The kernel files of a cgroup, each with its parser and the words that it fills. A new metric is one line here: a key
 * of a file that is already read, or a new optional file.
 */

import { KeptFile } from '../../kernel/kept-file.js';
import type { ParseFault, TextParser } from '../../kernel/text/fault.js';
import {
  type FlatKey,
  flatParser,
  optional,
  parseCgroupEvents,
  required,
} from '../../kernel/text/flat.js';
import { IoStatParser } from '../../kernel/text/io-stat.js';
import { parseNumber } from '../../kernel/text/number.js';
import { parsePressure } from '../../kernel/text/pressure.js';
import { FrameWord } from '../../schema/layout.js';
import { PART_WORDS } from '../../schema/metrics.js';
import type { Reading } from './reading.js';

/** ns per µs, the unit of the kernel files. */
const US = 1000n;

/** A kernel file with its parser and the last values. */
export class ParsedFile extends KeptFile {
  readonly values: (bigint | null)[];
  readonly #parse: TextParser;

  constructor(name: string, parse: TextParser, count: number) {
    super(name);
    this.#parse = parse;
    this.values = Array.from({ length: count }, () => null);
  }

  parse(text: Uint8Array, length: number): ParseFault | null {
    return this.#parse(text, length, this.values);
  }
}

/** A kernel file whose values fill words of a frame. */
export class WordFile extends ParsedFile {
  readonly #words: readonly number[];
  /** The kernel was booted without support for this file, so it is not read again. */
  unsupported = false;

  /** `words` has the word of each value that `parse` returns. */
  constructor(name: string, parse: TextParser, words: readonly number[]) {
    super(name, parse, words.length);
    this.#words = words;
  }

  /** The `PartBit` of its words. */
  get part(): number {
    return 1 << PART_WORDS.findIndex((words) => words.includes(this.#words[0]!));
  }

  /** Returns the last value of a word, or null if the text did not have it. */
  get(word: number): bigint | null {
    return this.values[this.#words.indexOf(word)] ?? null;
  }

  /** Stores the last values in their words. A value that the text did not have is unset. */
  fill(out: Reading): void {
    for (let i = 0; i < this.#words.length; i++) out.put(this.#words[i]!, this.values[i]!);
  }
}

/** A file of `key value` lines. */
function flatFile(name: string, rows: readonly (readonly [FlatKey, number])[]): WordFile {
  return new WordFile(
    name,
    flatParser(rows.map(([key]) => key)),
    rows.map(([, word]) => word),
  );
}

/** A file with a single number. */
function gaugeFile(name: string, word: number): WordFile {
  return new WordFile(name, parseNumber, [word]);
}

/** `full` is omitted if the total of all tasks is meaningless. */
function pressureFile(name: string, some: number, full?: number): WordFile {
  return new WordFile(name, parsePressure, full === undefined ? [some] : [some, full]);
}

const IO_STAT = [
  ['rbytes', FrameWord.IO_READ_BYTES],
  ['wbytes', FrameWord.IO_WRITE_BYTES],
  ['rios', FrameWord.IO_READ_OPS],
  ['wios', FrameWord.IO_WRITE_OPS],
] as const;

export const ioStatParser = new IoStatParser(IO_STAT.map(([key]) => key));

export class CgroupFiles {
  readonly cpuStat = flatFile('cpu.stat', [
    [required('usage_usec', US), FrameWord.CPU_NS],
    [required('user_usec', US), FrameWord.CPU_USER_NS],
    [required('system_usec', US), FrameWord.CPU_SYSTEM_NS],
    [optional('nr_throttled'), FrameWord.CPU_NR_THROTTLED],
    [optional('throttled_usec', 'unsigned', US), FrameWord.CPU_THROTTLED_NS],
  ]);
  readonly memoryCurrent = gaugeFile('memory.current', FrameWord.MEM_CURRENT_BYTES);
  readonly memoryStat = flatFile('memory.stat', [
    [optional('anon', 'gauge'), FrameWord.MEM_RSS_BYTES],
    [optional('pgfault', 'signed'), FrameWord.PAGE_FAULTS_MINOR],
    [optional('pgmajfault', 'signed'), FrameWord.PAGE_FAULTS_MAJOR],
  ]);
  readonly memoryPeak = gaugeFile('memory.peak', FrameWord.MEM_PEAK_BYTES);
  readonly ioStat = new WordFile(
    'io.stat',
    ioStatParser.sums,
    IO_STAT.map(([, word]) => word),
  );
  /** Files whose absence is not a failure. Each is read with the part of its words. */
  readonly optional: readonly WordFile[] = [
    // oom_kill, not oom: only oom_kill counts processes that were killed.
    flatFile('memory.events', [[required('oom_kill'), FrameWord.OOM_KILLS]]),
    gaugeFile('pids.current', FrameWord.PIDS),
    pressureFile('cpu.pressure', FrameWord.PRESSURE_CPU_SOME_NS),
    pressureFile(
      'memory.pressure',
      FrameWord.PRESSURE_MEMORY_SOME_NS,
      FrameWord.PRESSURE_MEMORY_FULL_NS,
    ),
    pressureFile('io.pressure', FrameWord.PRESSURE_IO_SOME_NS, FrameWord.PRESSURE_IO_FULL_NS),
  ];
  readonly cgroupEvents = new ParsedFile('cgroup.events', parseCgroupEvents, 2);
  readonly cgroupProcs = new KeptFile('cgroup.procs');

  /** Whether the files are on a kernel file system. Fixtures are opened for each read. */
  set isKernels(isKernels: boolean) {
    for (const file of this.#all()) file.isKernels = isKernels;
  }

  close(): void {
    for (const file of this.#all()) file.close();
  }

  #all(): KeptFile[] {
    return Object.values(this).flat();
  }
}
