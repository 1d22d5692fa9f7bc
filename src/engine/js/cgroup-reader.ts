/**
 * Reads one cgroup v2 directory, which is opened once, with one kept descriptor per kernel file. The twin of
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
import type { CgroupSpec, ReadFailure } from '../engine.js';
import { BlockStack } from './block-stack.js';
import { CgroupDirectory, openCgroupDirectory } from './cgroup-directory.js';
import { CgroupFiles, ioStatParser, type ParsedFile, type WordFile } from './cgroup-files.js';
import { failure, parseFailure, readFailure } from './read-failure.js';
import type { Reading } from './reading.js';

const PARTS = Object.values(PartIndex);

export type Populated = 'unknown' | 'no' | 'yes';

export class CgroupReader {
  /** Minimum time between two reads of `memory.stat`; 0 reads it every time. */
  memoryStatPeriodNs = 0n;

  #directory: CgroupDirectory | null = null;
  readonly #files = new CgroupFiles();
  readonly #failures: (ReadFailure | null)[] = [null, null, null, null];
  #extraFailures: ReadFailure[] = [];

  #removed = false;
  /** Whether a file was absent during this read although the directory still existed. */
  #seenAlive = false;
  /** When `memory.stat` was last read; null if there are no values to carry over. */
  #memoryStatReadNs: bigint | null = null;
  #memoryStatCarried = false;
  #highestCurrent = 0n;
  #blockStack = new BlockStack('/sys');

  /**
   * Opens the directory. Returns null on success, or `ERR_CGROUP_PATH`, `ERR_CGROUP_NOT_FOUND`, `ERR_NOT_CGROUP2` or
   * `ERR_CGROUP_READ`.
   */
  open(spec: CgroupSpec): ReadFailure | null {
    const opened = openCgroupDirectory(spec);
    if (!(opened instanceof CgroupDirectory)) return opened;
    this.#directory = opened;
    this.#files.isKernels = opened.isCgroupfs;
    // The host's devices are not those of a recorded tree, which may have a recorded sysfs instead.
    if (!opened.isCgroupfs) this.#blockStack = new BlockStack(beneath(opened.fd, 'sys'));
    return null;
  }

  /** Whether the directory was removed. Detected when `read` or `populated` finds a dead file; final. */
  get removed(): boolean {
    return this.#removed;
  }

  /** Returns the path of a file through the opened directory, or null before `open`. */
  pathOf(file: string): string | null {
    return this.#directory === null ? null : beneath(this.#directory.fd, file);
  }

  /** Whether the directory is on a cgroup2 file system, not a fixture or a recorded tree. */
  get isCgroupfs(): boolean {
    return this.#directory?.isCgroupfs ?? false;
  }

  /** Whether the last memory part has the values of an earlier read of `memory.stat`. */
  get memoryStatCarried(): boolean {
    return this.#memoryStatCarried;
  }

  /** Returns why the part was unavailable when it was last read, or null. */
  failure(part: PartIndexValue): ReadFailure | null {
    return this.#failures[part] ?? null;
  }

  /**
   * Returns the failures of the last read that made no part of figures unavailable: of `memory.peak`, then of the
   * optional files, in the order in which they are read. Each file has at most one; an absent file is not a failure.
   * `failure(PartIndex.EXTRA)` returns the first of them.
   */
  extraFailures(): readonly ReadFailure[] {
    return this.#extraFailures;
  }

  /** Makes the next read of the memory part read `memory.stat`, regardless of the period. */
  expireMemoryStat(): void {
    this.#memoryStatReadNs = null;
  }

  /**
   * Reads the requested parts (PartBit) into `out`. Only the words of these parts are changed; absent values are unset.
   * Returns the parts that are available. `nowNs` is CLOCK_MONOTONIC.
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

  /** Reads `cgroup.events`: whether the cgroup or a descendant has a live process. */
  populated(): Populated {
    this.#seenAlive = false;
    const file = this.#files.cgroupEvents;
    if (this.#parsed(file) !== null || this.#removed) return 'unknown';
    return file.values[0] === 0n ? 'no' : 'yes';
  }

  /** Reads `cgroup.events`: whether the cgroup and its descendants are frozen. Returns false if that is unknown. */
  frozen(): boolean {
    return this.populated() !== 'unknown' && this.#files.cgroupEvents.values[1] === 1n;
  }

  /**
   * Appends the pids of `cgroup.procs` of the cgroup and of every descendant. Returns false if a list could not be read
   * completely (removed, not permitted, threaded, larger than 64 KiB): the pids are then a lower bound.
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
    // INV-CPU001: the kernel derives user and system from samples, so their sum can exceed the usage.
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
    // The kernel's pgfault includes the major faults.
    const faults = memoryStat.get(FrameWord.PAGE_FAULTS_MINOR);
    const major = memoryStat.get(FrameWord.PAGE_FAULTS_MAJOR);
    const known = faults !== null && major !== null;
    out.put(FrameWord.PAGE_FAULTS_MINOR, known ? saturatingSub(faults, major) : null);
    this.#readPeak(out.get(FrameWord.MEM_RSS_BYTES), out);
    return true;
  }

  // memory.stat has its own period because it is the most expensive file of a cgroup.
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

  // Before Linux 5.19 there is no memory.peak; the highest memory.current seen replaces it. The maximum with the rss
  // keeps INV-MEM001 while the peak of the kernel lags behind.
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

  /** Sums the devices of the text that was just read, counting only one layer of stacked devices. */
  #countOnce(nowNs: bigint, sums: (bigint | null)[]): void {
    const devices: IoDevice[] = [];
    ioStatParser.devices(readBuffer.bytes, readBuffer.size, devices);
    if (devices.length > 1) this.#blockStack.sum(devices, nowNs, sums);
  }

  // If PSI was disabled at boot, the files can be opened, but reading them always fails with EOPNOTSUPP.
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

  // Disabling and enabling a controller makes kept descriptors fail with ENODEV although the directory still exists.
  // The file is therefore opened again before the failure is believed.
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
