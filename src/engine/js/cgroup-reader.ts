/**
 * One cgroup v2 directory, opened once; one kept descriptor per kernel file. The twin of
 * `native/core/cgroup_reader.cc`.
 */

import { saturatingAdd, saturatingSub } from '../../frame/saturate.js';
import { listCgroupMembers } from '../../kernel/cgroup-members.js';
import {
  type KeptFile,
  ReadStatus,
  type ReadStatusValue,
  readBuffer,
} from '../../kernel/kept-file.js';
import { beneath, Errno } from '../../kernel/syscall.js';
import type { IoDevice } from '../../kernel/text/io-stat.js';
import { PartBit, PartIndex, type PartIndexValue } from '../../schema/enumerations.js';
import { FrameWord } from '../../schema/layout.js';
import { PART_WORDS } from '../../schema/metrics.js';
import type { CgroupSpec } from '../engine.js';
import type { ReadFailure } from '../failure.js';
import { BlockStack } from './block-stack.js';
import { CgroupDirectory, openCgroupDirectory } from './cgroup-directory.js';
import { CgroupFiles, ioStatParser, type ParsedFile, type WordFile } from './cgroup-files.js';
import { failure, parseFailure, readFailure } from './read-failure.js';
import type { Reading } from './reading.js';

const PARTS = Object.values(PartIndex);

export type Populated = 'unknown' | 'no' | 'yes';

export class CgroupReader {
  /** Least time between two reads of `memory.stat`; 0 reads it each time. */
  memoryStatPeriodNs = 0n;

  #directory: CgroupDirectory | null = null;
  readonly #files = new CgroupFiles();
  readonly #failures: (ReadFailure | null)[] = [null, null, null, null];
  #extraFailures: ReadFailure[] = [];

  #removed = false;
  /** In this read an absent file was met and the directory was found alive. */
  #seenAlive = false;
  /** When `memory.stat` was last read; null: its values are none to carry. */
  #memoryStatReadNs: bigint | null = null;
  #memoryStatCarried = false;
  #highestCurrent = 0n;
  #blockStack = new BlockStack('/sys');

  /** Opens the directory. `ERR_CGROUP_PATH`, `ERR_CGROUP_NOT_FOUND`, `ERR_NOT_CGROUP2`, `ERR_CGROUP_READ`. */
  open(spec: CgroupSpec): ReadFailure | null {
    const opened = openCgroupDirectory(spec);
    if (!(opened instanceof CgroupDirectory)) return opened;
    this.#directory = opened;
    this.#files.isKernels = opened.isCgroupfs;
    // Of a recorded tree the host's own devices tell nothing: what is recorded beside it may.
    if (!opened.isCgroupfs) this.#blockStack = new BlockStack(beneath(opened.fd, 'sys'));
    return null;
  }

  /** The directory itself is gone. Known after a read or `populated` met a dead file; it never comes back. */
  get removed(): boolean {
    return this.#removed;
  }

  /** Where a file of it is, through the opened directory; null before `open`. */
  pathOf(file: string): string | null {
    return this.#directory === null ? null : beneath(this.#directory.fd, file);
  }

  /** On a cgroup2 file system: not a fixture or a recorded tree. */
  get isCgroupfs(): boolean {
    return this.#directory?.isCgroupfs ?? false;
  }

  /** The last memory part carried `memory.stat`'s values from an earlier read. */
  get memoryStatCarried(): boolean {
    return this.#memoryStatCarried;
  }

  /** Why a part was not available at the last read of it, or null. */
  failure(part: PartIndexValue): ReadFailure | null {
    return this.#failures[part] ?? null;
  }

  /**
   * Every file of the extra part that failed at the last read, `memory.peak` first (it is read with the memory
   * part); `failure(3)` is the first of them.
   */
  extraFailures(): readonly ReadFailure[] {
    return this.#extraFailures;
  }

  /** The next memory part reads `memory.stat` whatever the period. */
  expireMemoryStat(): void {
    this.#memoryStatReadNs = null;
  }

  /**
   * Reads the asked parts (PartBit) into `out`, the words of those parts only; what is absent is unset. Returns
   * the parts that are available. `nowNs` is CLOCK_MONOTONIC.
   */
  read(parts: number, nowNs: bigint, out: Reading): number {
    this.#begin(parts, out);
    let got = 0;
    if (!this.#removed) {
      if ((parts & PartBit.CPU) !== 0 && this.#readCpu(out)) got |= PartBit.CPU;
      if ((parts & PartBit.MEMORY) !== 0 && this.#readMemory(nowNs, out)) got |= PartBit.MEMORY;
      if ((parts & PartBit.IO) !== 0 && this.#readIo(nowNs, out)) got |= PartBit.IO;
      for (const file of this.#files.optional) {
        if ((parts & file.part) !== 0) this.#readOptional(file, out);
      }
      if ((parts & PartBit.EXTRA) !== 0 && this.#failures[PartIndex.EXTRA] === null) {
        got |= PartBit.EXTRA;
      }
    }
    return this.#removed ? this.#failAll(parts, out) : got;
  }

  /** Whether a process lives in it or below: `cgroup.events`, read now. */
  populated(): Populated {
    this.#seenAlive = false;
    const file = this.#files.cgroupEvents;
    if (this.#parsed(file) !== null || this.#removed) return 'unknown';
    return file.values[0] === 0n ? 'no' : 'yes';
  }

  /** Whether everything in it and below is frozen: `cgroup.events`, read now. False where that does not tell. */
  frozen(): boolean {
    return this.populated() !== 'unknown' && this.#files.cgroupEvents.values[1] === 1n;
  }

  /**
   * Appends the pids of `cgroup.procs` here and in every cgroup below. False when a list could not be read
   * whole (vanished, not permitted, threaded, larger than 64 KiB): then the list is a lower bound.
   */
  listMembers(pids: number[]): boolean {
    if (this.#directory === null) return false;
    return listCgroupMembers(this.#directory.fd, this.#files.cgroupProcs, pids);
  }

  close(): void {
    this.#files.close();
    this.#directory?.close();
    this.#directory = null;
  }

  #begin(parts: number, out: Reading): void {
    this.#seenAlive = false;
    if (this.#extraFailures.length > 0) this.#extraFailures = [];
    for (const part of PARTS) {
      if (((parts >> part) & 1) === 0) continue;
      this.#failures[part] = null;
      for (const word of PART_WORDS[part]) out.unset(word);
    }
  }

  #failAll(parts: number, out: Reading): number {
    const gone = failure('ERR_CGROUP_NOT_FOUND', '', Errno.ENOENT);
    this.#begin(parts, out);
    for (const part of PARTS) {
      if (((parts >> part) & 1) !== 0) this.#failures[part] = gone;
    }
    return 0;
  }

  #readCpu(out: Reading): boolean {
    const file = this.#files.cpuStat;
    if (!this.#required(PartIndex.CPU, file)) return false;
    file.fill(out);
    // INV-CPU001: the kernel scales user and system from samples, and their sum may be ahead of the usage.
    const split = saturatingAdd(out.get(FrameWord.CPU_USER_NS), out.get(FrameWord.CPU_SYSTEM_NS));
    if (split > out.get(FrameWord.CPU_NS)) out.set(FrameWord.CPU_NS, split);
    return true;
  }

  #readMemory(nowNs: bigint, out: Reading): boolean {
    this.#memoryStatCarried = false;
    const { memoryCurrent, memoryStat } = this.#files;
    if (!this.#required(PartIndex.MEMORY, memoryCurrent)) return false;
    if (!this.#refreshMemoryStat(nowNs)) return false;
    memoryCurrent.fill(out);
    memoryStat.fill(out);
    const current = out.get(FrameWord.MEM_CURRENT_BYTES);
    if (current > this.#highestCurrent) this.#highestCurrent = current;
    if (!out.has(FrameWord.MEM_RSS_BYTES)) out.set(FrameWord.MEM_RSS_BYTES, current);
    // The kernel counts the major faults among all.
    const faults = memoryStat.get(FrameWord.PAGE_FAULTS_MINOR);
    const major = memoryStat.get(FrameWord.PAGE_FAULTS_MAJOR);
    const known = faults !== null && major !== null;
    out.put(FrameWord.PAGE_FAULTS_MINOR, known ? saturatingSub(faults, major) : null);
    this.#readPeak(out.get(FrameWord.MEM_RSS_BYTES), out);
    return true;
  }

  // memory.stat is the costly file of the cgroup, so that it has a period of its own.
  #refreshMemoryStat(nowNs: bigint): boolean {
    const last = this.#memoryStatReadNs;
    if (last !== null && nowNs - last < this.memoryStatPeriodNs) {
      this.#memoryStatCarried = true;
      return true;
    }
    this.#memoryStatReadNs = null;
    const file = this.#files.memoryStat;
    const refused = this.#parsed(file);
    if (refused === null) {
      this.#memoryStatReadNs = nowNs;
      return true;
    }
    file.values.fill(null);
    if (refused.code === 'ERR_CONTROLLER_NOT_ENABLED') return true;
    this.#failures[PartIndex.MEMORY] = refused;
    return false;
  }

  // Absent before 5.19: then the highest that we saw of what it is the highest of, which is memory.current.
  // INV-MEM001 also holds while the kernel's is behind.
  #readPeak(rss: bigint, out: Reading): void {
    const refused = this.#parsed(this.#files.memoryPeak);
    if (refused === null) {
      const peak = this.#files.memoryPeak.get(FrameWord.MEM_PEAK_BYTES) ?? 0n;
      out.set(FrameWord.MEM_PEAK_BYTES, peak > rss ? peak : rss);
    } else if (refused.code === 'ERR_CONTROLLER_NOT_ENABLED') {
      out.set(FrameWord.MEM_PEAK_BYTES, this.#highestCurrent > rss ? this.#highestCurrent : rss);
    } else {
      this.#failExtra(refused);
    }
  }

  #readIo(nowNs: bigint, out: Reading): boolean {
    const file = this.#files.ioStat;
    if (!this.#required(PartIndex.IO, file)) return false;
    this.#countOnce(nowNs, file.values);
    file.fill(out);
    return true;
  }

  /** The sums over the devices of the text that was just read: where one device stands on another, of one of them. */
  #countOnce(nowNs: bigint, sums: (bigint | null)[]): void {
    const devices: IoDevice[] = [];
    ioStatParser.devices(readBuffer.bytes, readBuffer.size, devices);
    if (devices.length > 1) this.#blockStack.sum(devices, nowNs, sums);
  }

  // With PSI off at boot the files open, and reading them is EOPNOTSUPP for ever.
  #readOptional(file: WordFile, out: Reading): void {
    if (file.unsupported) return;
    const refused = this.#parsed(file);
    if (refused === null) {
      file.fill(out);
    } else if (readBuffer.errno === Errno.EOPNOTSUPP) {
      file.unsupported = true;
      file.close();
    } else if (refused.code !== 'ERR_CONTROLLER_NOT_ENABLED') {
      this.#failExtra(refused);
    }
  }

  #required(part: PartIndexValue, file: ParsedFile): boolean {
    this.#failures[part] = this.#parsed(file);
    return this.#failures[part] === null;
  }

  #failExtra(refused: ReadFailure): void {
    this.#extraFailures.push(refused);
    this.#failures[PartIndex.EXTRA] = this.#extraFailures[0] ?? null;
  }

  /** Reads and parses the file. Returns null on success; only then are its values valid. */
  #parsed(file: ParsedFile): ReadFailure | null {
    const status = this.#load(file);
    if (status === ReadStatus.ABSENT) {
      return failure('ERR_CONTROLLER_NOT_ENABLED', file.name, Errno.ENOENT);
    }
    if (status !== ReadStatus.OK) return readFailure('ERR_CGROUP_READ', file.name, status);
    const refused = file.parse(readBuffer.bytes, readBuffer.size);
    return refused === null ? null : parseFailure('ERR_CGROUP_PARSE', file.name, refused);
  }

  // A controller that was turned off and on kills the kept descriptors with ENODEV while the directory lives:
  // the file is opened once more before anything is concluded.
  #load(file: KeptFile): ReadStatusValue {
    const directory = this.#directory;
    if (directory === null || this.#removed) return ReadStatus.ABSENT;
    let status = file.read(directory.fd);
    if (status === ReadStatus.DEAD) status = file.read(directory.fd);
    if (status !== ReadStatus.ABSENT && status !== ReadStatus.DEAD) return status;
    const { errno } = readBuffer;
    if (!this.#seenAlive) {
      this.#removed = directory.isGone();
      this.#seenAlive = !this.#removed;
    }
    readBuffer.errno = errno;
    return status;
  }
}
