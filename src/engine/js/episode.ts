/**
 * One episode on the JS engine: its readers, the choice of a source for each part, and the only writer of its ring.
 * The twin of `native/core/episode.cc`.
 */

import { BudgetCounters } from '../../budget/counters.js';
import { type BudgetTrip, BudgetWatch, type Exhaustion } from '../../budget/watch.js';
import { writeControlFile } from '../../kernel/cgroup-actions.js';
import { killEverything } from '../../kernel/process-killer.js';
import { RingWriter } from '../../ring/writer.js';
import { SAMPLE_HOLD_IF_ENDED } from '../../schema/bounds.js';
import {
  PartBit,
  type PartIndexValue,
  RESOURCES,
  SampleOutcome,
  TRIP_METRICS,
} from '../../schema/enumerations.js';
import { FrameFlag, FrameWord, MetaShift, QualityBit, SourceCode } from '../../schema/layout.js';
import { PART_WORDS } from '../../schema/metrics.js';
import type {
  BudgetSpec,
  EpisodeSpec,
  ReadFailure,
  SampleWarning,
  TripwireSpec,
} from '../engine.js';
import { CgroupReader } from './cgroup-reader.js';
import type { DrivenEpisode, EnforcedAction } from './driven-episode.js';
import { FailureLog } from './failure-log.js';
import { FrameState, type PartOrigin, unknownOrigin } from './frame-state.js';
import { ProcReader } from './proc-reader.js';
import { Reading } from './reading.js';
import { metricOf, type Trip, Tripwires } from './tripwires.js';

const MEASURED = PartBit.CPU | PartBit.MEMORY | PartBit.IO;
const PARTS = [0, 1, 2] as const;
/** The parts whose totals settle: cpu, io. */
const TOTALS = [0, 2] as const;
const MEMORY = 1;
const IO = 2;
const EXTRA = 3;

const has = (parts: number, p: number): boolean => ((parts >> p) & 1) !== 0;

const monotonicNs = (): bigint => process.hrtime.bigint();

export class JsEpisode implements DrivenEpisode {
  readonly #spec: EpisodeSpec;
  readonly #cgroup: CgroupReader | null = null;
  readonly #proc: ProcReader | null = null;
  readonly #ring: RingWriter;
  readonly #state = new FrameState();
  readonly #reading = new Reading();
  readonly #failures = new FailureLog();
  readonly #tripwires = new Tripwires();
  #trips: Trip[] = [];
  #budget: BudgetWatch | null = null;
  #budgetSpeedsUp = false;
  #exhaustion: Exhaustion | null = null;
  #lastNs: bigint | null = null;
  /** As of the last read: the requested parts that were unavailable. */
  #cgroupFailed = 0;
  #procAsked = 0;
  #procFailed = 0;
  /** Why `/proc` is not read, unless the reason is the end of the process. */
  #procRefused: ReadFailure | null = null;
  /** As of the last read: `/proc` was needed for a part. */
  #procMissed = false;
  #settled: BigUint64Array | null = null;
  /** The last values of the cgroup while it existed. */
  readonly #settledTotals = new Reading();
  #settledParts = 0;
  #rootGone = false;

  /**
   * Opens the cgroup if there is one, pins the process, and binds the ring. A process that is gone is a failure only if
   * there is no cgroup to read. `fail` creates the error that is thrown.
   */
  constructor(spec: EpisodeSpec, fail: (failure: ReadFailure) => Error) {
    this.#spec = spec;
    this.#ring = new RingWriter(spec.ring);
    if (spec.cgroup !== null && spec.tier !== 'proc') {
      const cgroup = new CgroupReader();
      const failure = cgroup.open(spec.cgroup);
      if (failure !== null) throw fail(failure);
      cgroup.memoryStatPeriodNs = spec.memoryStatPeriodNs;
      this.#cgroup = cgroup;
    }
    const proc = new ProcReader();
    const failure = proc.open({ ...spec, tree: true });
    // If the process is gone, the end of the episode reports it.
    if (failure?.code === 'ERR_PROC_NOT_AVAILABLE') this.#procRefused = failure;
    if (failure === null) {
      proc.peakPeriodNs = spec.memoryStatPeriodNs;
      this.#proc = proc;
    } else if (this.#cgroup === null || failure.code === 'ERR_INVALID_PID') {
      this.#cgroup?.close();
      throw fail(failure);
    }
  }

  sample(flags: number): number {
    const begin = monotonicNs();
    // Checked before the counters are read: what is read after the end includes everything (the oom kill too).
    const ended = this.ended();
    if (ended && (flags & SAMPLE_HOLD_IF_ENDED) !== 0) return SampleOutcome.ENDED;

    const reading = this.#reading;
    reading.clear();
    const origin = unknownOrigin();
    const terminal = (flags & FrameFlag.TERMINAL) !== 0;
    if (terminal) this.#cgroup?.expireMemoryStat();
    reading.set(FrameWord.TS_MONO, monotonicNs());
    this.#readParts(PartBit.ALL, reading, origin);
    if (terminal) {
      this.#markFinal(origin);
      this.#restoreSettled(reading, origin);
    }
    this.#logFailures();

    let outcome = this.#complete(reading, origin, flags);
    reading.set(FrameWord.COLLECT_NS, monotonicNs() - begin);
    this.#ring.publish(reading.words);
    if (terminal) this.#ring.end();

    if (ended) outcome |= SampleOutcome.ENDED;
    if (this.#failures.pending) outcome |= SampleOutcome.WARNING;
    return outcome;
  }

  publish(words: BigUint64Array, flags: number): number {
    const reading = this.#reading;
    reading.words.set(words);
    const meta = Number(reading.get(FrameWord.META));
    const origin = unknownOrigin();
    for (const p of PARTS) origin.source[p] = (meta >> (MetaShift.SOURCE_CPU + 2 * p)) & 3;
    reading.set(FrameWord.TS_MONO, monotonicNs());
    const outcome = this.#complete(reading, origin, flags);
    this.#ring.publish(reading.words);
    return outcome;
  }

  // The tripwires and the budget are checked before the frame is published, so that a frame that trips one is flagged.
  #complete(reading: Reading, origin: PartOrigin, flags: number): number {
    let outcome = 0;
    if (this.#state.apply(reading, origin, flags)) outcome |= SampleOutcome.SOURCE_CHANGED;
    const { seq } = this.#ring;
    const tsNs = reading.get(FrameWord.TS_MONO);
    const tripped = this.#tripwires.look(reading, seq, this.#trips);
    const crossed = this.#budget?.look({
      seq,
      tsNs,
      cpuNs: metricOf('cpuNs', reading),
      ioBytes: metricOf('ioBytes', reading),
    });
    if (tripped || crossed) outcome |= SampleOutcome.TRIPPED;
    if (this.#exhaustion === null && this.#exhausted(seq, tsNs)) outcome |= SampleOutcome.EXHAUSTED;
    this.#lastNs = tsNs;
    if (this.speedUp) {
      const meta = reading.get(FrameWord.META) | BigInt(FrameFlag.HIGH_FREQUENCY);
      reading.set(FrameWord.META, meta);
    }
    return outcome;
  }

  #exhausted(seq: number, tsNs: bigint): boolean {
    const tripwire = this.#tripwires.exhausted;
    this.#exhaustion = this.#budget?.exhaustion ?? null;
    if (this.#exhaustion !== null || tripwire === null) return this.#exhaustion !== null;
    this.#exhaustion = {
      resource: RESOURCES.length + TRIP_METRICS.indexOf(tripwire.metric),
      limit: tripwire.threshold,
      consumed: tripwire.value,
      seq,
      tsNs,
      lateNs: this.#lastNs === null ? null : tsNs - this.#lastNs,
    };
    return true;
  }

  /** Charges the budget with every frame from now on. `startNs`: CLOCK_MONOTONIC at the start of the session. */
  setBudget(budget: BudgetSpec, startNs: bigint): void {
    this.#budget = new BudgetWatch(BudgetCounters.attach(budget.memory), { ...budget, startNs });
    this.#budgetSpeedsUp = budget.speedUp;
  }

  setTripwires(tripwires: readonly TripwireSpec[]): void {
    this.#tripwires.set(tripwires);
  }

  get speedUp(): boolean {
    return this.#tripwires.speedUp || (this.#budgetSpeedsUp && this.#budget?.anyTripped === true);
  }

  get exhaustion(): Exhaustion | null {
    return this.#exhaustion;
  }

  get wallDueNs(): bigint | null {
    return this.#exhaustion === null ? (this.#budget?.wallDueNs ?? null) : null;
  }

  takeBudgetTrips(): BudgetTrip[] {
    return this.#budget?.takeTrips() ?? [];
  }

  get hasCgroup(): boolean {
    return this.#livingCgroup() !== null;
  }

  async enforce(action: EnforcedAction, outside: boolean): Promise<string | null> {
    const cgroup = this.#livingCgroup();
    if (action === 'freeze') {
      const file = cgroup?.pathOf('cgroup.freeze') ?? null;
      return file === null ? 'ENOENT' : await writeControlFile(file, '1');
    }
    const samePids = this.#proc?.samePids;
    if (cgroup !== null && !outside) {
      return await killEverything({
        cgroup: cgroup.pathOf('.'),
        processes: [],
        reapers: [],
        maySignal: cgroup.isCgroupfs && samePids !== false,
      });
    }
    const { reaperPid } = this.#spec;
    return await killEverything({
      cgroup: null,
      processes: this.#proc?.known() ?? [],
      reapers: reaperPid === 0 ? [] : [reaperPid],
      maySignal: samePids === true,
    });
  }

  mayLiveOutside(): boolean {
    const isCgroupfs = this.#livingCgroup()?.isCgroupfs === true;
    return isCgroupfs && this.#proc?.rootAlive() === true;
  }

  isEnforced(action: EnforcedAction): boolean {
    const cgroup = this.#livingCgroup();
    if (action === 'freeze') return cgroup?.frozen() === true;
    // With a reaper, the episode has ended once all its processes have been reaped.
    if (this.#spec.reaperPid !== 0) return this.ended();
    const proc = this.#proc;
    if (cgroup !== null) {
      const populated = cgroup.populated();
      if (!cgroup.removed) return populated === 'no' && !this.mayLiveOutside();
    }
    if (proc === null) return true;
    proc.setMembers(null);
    proc.read(PartBit.CPU, new Reading());
    return proc.liveMembers === 0;
  }

  takeTrips(): Trip[] {
    const taken = this.#trips;
    this.#trips = [];
    return taken;
  }

  lastFrame(): BigUint64Array {
    const words = this.#reading.words.slice();
    words[FrameWord.SEQ] = BigInt(this.#ring.seq - 1);
    return words;
  }

  setDeadlinesMissed(missed: number): void {
    this.#ring.setDeadlinesMissed(missed);
  }

  /** Where `cgroup.events` can be watched while it is open; null without a cgroup. */
  get eventsPath(): string | null {
    return this.#cgroup?.pathOf('cgroup.events') ?? null;
  }

  #readParts(parts: number, reading: Reading, origin: PartOrigin): void {
    const { tier } = this.#spec;
    const cgroup = this.#livingCgroup();
    let got = 0;
    this.#cgroupFailed = 0;
    this.#procAsked = 0;
    this.#procFailed = 0;
    if (cgroup !== null) {
      const asked = tier === 'leaf' ? parts & (PartBit.CPU | PartBit.EXTRA) : parts;
      got = cgroup.read(asked, monotonicNs(), reading);
      this.#cgroupFailed = asked & ~got;
      for (const p of PARTS) if (has(got, p)) origin.source[p] = SourceCode.CGROUP;
      if (has(got, 1) && cgroup.memoryStatCarried) origin.quality[1] |= QualityBit.STALE;
    }
    const proc = this.#proc;
    this.#procMissed = false;
    if (tier === 'cgroup') return;

    let missing = parts & MEASURED & ~got;
    this.#procMissed = missing !== 0;
    if (proc === null || missing === 0) return;
    if ((parts & PartBit.EXTRA) !== 0 && !reading.has(FrameWord.PIDS)) missing |= PartBit.EXTRA;
    // The cgroup determines the members while it exists, and parentage afterwards.
    proc.setMembers(this.#livingCgroup());
    const fromProc = proc.read(missing, reading);
    this.#procAsked = missing;
    this.#procFailed = missing & ~fromProc;
    for (const p of PARTS) {
      if (has(missing & fromProc, p)) {
        origin.source[p] = SourceCode.PROC;
        origin.quality[p] |= proc.quality(p);
      }
    }
  }

  // A part of a terminal frame is final if nothing can be counted after it was read: from the cgroup, or from /proc if
  // the process was alive or we reap the tree ourselves. The io of a cgroup is not final: a buffered write is counted
  // when it is written back, possibly after the end, and for the cgroup that owns the inode, possibly another one.
  #markFinal(origin: PartOrigin): void {
    for (const p of PARTS) {
      const source = origin.source[p];
      const final =
        source === SourceCode.CGROUP ||
        (source === SourceCode.PROC &&
          this.#proc !== null &&
          (this.#proc.totalsExact || this.#proc.rootAlive()));
      if (source === SourceCode.CGROUP && p === IO) origin.quality[p] |= QualityBit.LOWER_BOUND;
      else if (final) origin.quality[p] |= QualityBit.FINAL;
    }
  }

  // systemd removes a cgroup while its totals still settle. The values read last count then, not those of /proc or of
  // the last frame.
  #restoreSettled(reading: Reading, origin: PartOrigin): void {
    for (const p of PARTS) {
      if (!has(this.#settledParts, p) || origin.source[p] === SourceCode.CGROUP) continue;
      reading.take(this.#settledTotals, PART_WORDS[p]);
      origin.source[p] = SourceCode.CGROUP;
      origin.quality[p] = QualityBit.STALE;
      // The last accounting of the exited processes may have come later.
      if (p !== MEMORY) origin.quality[p] |= QualityBit.LOWER_BOUND;
    }
    if (has(this.#settledParts, EXTRA) && this.#livingCgroup() === null) {
      reading.take(this.#settledTotals, PART_WORDS[EXTRA]);
    }
  }

  #logFailures(): void {
    this.#failures.begin();
    for (const p of PARTS) {
      if (has(this.#cgroupFailed, p)) this.#logFailure(p, this.#cgroup?.failure(p));
    }
    if ((this.#cgroupFailed & PartBit.EXTRA) !== 0) {
      for (const failure of this.#cgroup?.extraFailures() ?? []) this.#logFailure(3, failure);
    }
    for (const p of [0, 1, 2, 3] as const) {
      if (!has(this.#procAsked, p)) continue;
      const failed = has(this.#procFailed, p);
      this.#logFailure(p, failed ? this.#proc?.failure(p) : this.#proc?.memberFailure(p));
    }
    // Reported once, whichever parts it affects.
    if (this.#procMissed) this.#logFailure(MEMORY, this.#procRefused);
  }

  // A failure that a source event or the end already reports is not a warning.
  #logFailure(part: PartIndexValue, failure: ReadFailure | null | undefined): void {
    if (failure == null) return;
    const told =
      failure.code === 'ERR_PROC_GONE' ||
      failure.code === 'ERR_CGROUP_NOT_FOUND' ||
      (failure.code === 'ERR_CONTROLLER_NOT_ENABLED' && this.#spec.tier !== 'cgroup');
    if (!told) this.#failures.add(part, failure);
  }

  takeWarnings(): SampleWarning[] {
    return this.#failures.take();
  }

  settle(): boolean {
    const last = this.#settled;
    // After the end, everything is read only once, because no process is left that could change it.
    const reading = this.#readToKeep(last === null ? PartBit.ALL : PartBit.CPU | PartBit.IO);
    const totals = new Reading();
    for (const p of TOTALS) totals.take(reading, PART_WORDS[p]);
    this.#settled = totals.words;
    return last !== null && totals.words.every((value, w) => value === last[w]);
  }

  remember(): void {
    this.#readToKeep(PartBit.ALL);
  }

  /** Reads the parts and keeps the values of the cgroup for the terminal frame. */
  #readToKeep(parts: number): Reading {
    const reading = new Reading();
    const origin = unknownOrigin();
    if ((parts & PartBit.MEMORY) !== 0) this.#cgroup?.expireMemoryStat();
    this.#readParts(parts, reading, origin);
    for (const p of PARTS) {
      if (origin.source[p] !== SourceCode.CGROUP) continue;
      this.#settledTotals.take(reading, PART_WORDS[p]);
      this.#settledParts |= 1 << p;
    }
    if ((parts & PartBit.EXTRA) !== 0 && this.#livingCgroup() !== null) {
      this.#settledTotals.take(reading, PART_WORDS[EXTRA]);
      this.#settledParts |= PartBit.EXTRA;
    }
    return reading;
  }

  get rootGone(): boolean {
    return this.#rootGone;
  }

  ended(): boolean {
    const proc = this.#proc;
    const reaper = this.#spec.reaperPid !== 0;
    this.#rootGone = proc?.rootAlive() !== true;
    if (!this.#rootGone) return false;
    const cgroup = this.#livingCgroup();
    if (cgroup !== null) {
      const populated = cgroup.populated();
      if (populated === 'yes') return false;
      if (populated === 'no' && !reaper) return true;
    }
    if (proc === null) return true;
    proc.setMembers(this.#livingCgroup());
    proc.read(PartBit.CPU, new Reading());
    return reaper ? proc.totalsExact : proc.liveMembers === 0;
  }

  #livingCgroup(): CgroupReader | null {
    return this.#cgroup !== null && !this.#cgroup.removed ? this.#cgroup : null;
  }

  close(): void {
    this.#cgroup?.close();
    this.#proc?.close();
  }
}
