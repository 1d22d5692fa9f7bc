import type { EngineName, SourceReader } from '../engine/engine.js';
import { failureToError } from '../engine/failure-error.js';
import { type EngineChoice, selectEngine } from '../engine/select.js';
import { assertPid } from '../episode/index.js';
import {
  assertBoolean,
  assertOptions,
  type OptionKeys,
  ProcError,
  TelemetryError,
} from '../error/index.js';
import { assertProcRoot } from '../kernel/procfs.js';
import { dispose } from '../realm/index.js';
import type { PartIndexValue } from '../schema/enumerations.js';
import { type PartRead, PartReader } from './part-reader.js';

export interface ProcReaderOptions {
  /** Default: `/proc`. Recorded trees are elsewhere. */
  readonly procRoot?: string | undefined;
  /**
   * Include the descendants. Default: true. Reaped descendants count as far as the kernel adds their usage to their
   * parents.
   */
  readonly tree?: boolean | undefined;
  /** `'auto'` (default) uses the native engine if the addon loads, else the JS engine. */
  readonly engine?: EngineChoice | undefined;
}

const PROC_READER: OptionKeys<ProcReaderOptions> = { procRoot: true, tree: true, engine: true };

/**
 * Reads one process and its descendants from `/proc/<pid>/{stat,statm,io}`. The process is pinned: a later process
 * with the same pid is never read.
 *
 * The read methods throw `ProcError`: `ERR_PROC_GONE` once the whole tree has exited, `ERR_PROC_READ` (`errno` is
 * `EACCES` for the `io` of another user's process), `ERR_PROC_PARSE`.
 */
export class ProcReader extends PartReader {
  readonly pid: number;
  readonly engine: EngineName;
  readonly #procRoot: string;
  readonly #reader: SourceReader;
  #closed = false;

  /** Throws `ERR_INVALID_PID` (also for a thread id), `ERR_PROC_GONE`, `ERR_PROC_READ`, `ERR_PROC_PARSE`. */
  constructor(pid: number, options: ProcReaderOptions = {}) {
    super();
    assertPid(pid);
    assertOptions('options', options, PROC_READER);
    assertBoolean('tree', options.tree);
    const engine = selectEngine(options.engine);
    this.pid = pid;
    this.engine = engine.name;
    this.#procRoot = assertProcRoot(options.procRoot ?? '/proc');
    this.#reader = engine.openProc({
      pid,
      procRoot: this.#procRoot,
      tree: options.tree ?? true,
      reaperPid: 0,
    });
  }

  protected override readPart(part: PartIndexValue): PartRead {
    if (this.#closed) {
      throw new TelemetryError('ERR_STOPPED', `the reader of process ${this.pid} is closed`);
    }
    const bit = 1 << part;
    if ((this.#reader.read(bit) & bit) !== 0) return [this.#reader.words, { source: 'proc' }];
    const failure = this.#reader.failure(part);
    if (failure === null) throw new ProcError('ERR_PROC_GONE', `process ${this.pid} is gone`);
    throw failureToError(failure, { cgroupPath: '', procRoot: this.#procRoot });
  }

  /** Closes the descriptors. Idempotent. Later reads throw `ERR_STOPPED`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.close();
  }

  [dispose](): void {
    this.close();
  }
}
