/** The kernel files of a cgroup that are read, each with its parser, and the words that their parts fill. */

import { KeptFile } from '../../kernel/kept-file.js';
import type { TextParser } from '../../kernel/text/fault.js';
import {
  parseCgroupEvents,
  parseCpuStat,
  parseMemoryEvents,
  parseMemoryStat,
} from '../../kernel/text/flat.js';
import { parseIoStat } from '../../kernel/text/io-stat.js';
import { parseNumber } from '../../kernel/text/number.js';
import { parsePressure } from '../../kernel/text/pressure.js';
import { FrameWord } from '../../ring/layout.js';
import { PartIndex } from '../engine.js';

/** A kernel file with its parser and its last values. */
export class ParsedFile extends KeptFile {
  readonly values: (bigint | null)[];
  readonly parse: TextParser;
  /** The kernel was started without what the file tells; it is not tried again. */
  unsupported = false;

  constructor(name: string, parse: TextParser, count: number) {
    super(name);
    this.parse = parse;
    this.values = Array.from({ length: count }, () => null);
  }
}

export class CgroupFiles {
  readonly cpuStat = new ParsedFile('cpu.stat', parseCpuStat, 5);
  readonly memoryCurrent = new ParsedFile('memory.current', parseNumber, 1);
  readonly memoryStat = new ParsedFile('memory.stat', parseMemoryStat, 3);
  readonly memoryPeak = new ParsedFile('memory.peak', parseNumber, 1);
  readonly ioStat = new ParsedFile('io.stat', parseIoStat, 4);
  readonly memoryEvents = new ParsedFile('memory.events', parseMemoryEvents, 1);
  readonly pidsCurrent = new ParsedFile('pids.current', parseNumber, 1);
  readonly cpuPressure = new ParsedFile('cpu.pressure', parsePressure, 2);
  readonly memoryPressure = new ParsedFile('memory.pressure', parsePressure, 2);
  readonly ioPressure = new ParsedFile('io.pressure', parsePressure, 2);
  readonly cgroupEvents = new ParsedFile('cgroup.events', parseCgroupEvents, 2);
  readonly cgroupProcs = new KeptFile('cgroup.procs');

  /** Fixtures are opened for each read. */
  set isKernels(isKernels: boolean) {
    for (const file of Object.values(this)) file.isKernels = isKernels;
  }

  close(): void {
    for (const file of Object.values(this)) file.close();
  }
}

export const CPU_WORDS = [
  FrameWord.CPU_NS,
  FrameWord.CPU_USER_NS,
  FrameWord.CPU_SYSTEM_NS,
  FrameWord.CPU_NR_THROTTLED,
  FrameWord.CPU_THROTTLED_NS,
] as const;
const MEMORY_WORDS = [
  FrameWord.MEM_RSS_BYTES,
  FrameWord.MEM_PEAK_BYTES,
  FrameWord.MEM_CURRENT_BYTES,
  FrameWord.PAGE_FAULTS_MAJOR,
  FrameWord.PAGE_FAULTS_MINOR,
] as const;
export const IO_WORDS = [
  FrameWord.IO_READ_BYTES,
  FrameWord.IO_WRITE_BYTES,
  FrameWord.IO_READ_OPS,
  FrameWord.IO_WRITE_OPS,
] as const;
const EXTRA_WORDS = [
  FrameWord.OOM_KILLS,
  FrameWord.PIDS,
  FrameWord.PRESSURE_CPU_SOME_NS,
  FrameWord.PRESSURE_MEMORY_SOME_NS,
  FrameWord.PRESSURE_MEMORY_FULL_NS,
  FrameWord.PRESSURE_IO_SOME_NS,
  FrameWord.PRESSURE_IO_FULL_NS,
] as const;
/** The words of each part, by its index. */
export const PART_WORDS = [CPU_WORDS, MEMORY_WORDS, IO_WORDS, EXTRA_WORDS] as const;
export const PART_INDICES = [
  PartIndex.CPU,
  PartIndex.MEMORY,
  PartIndex.IO,
  PartIndex.EXTRA,
] as const;
