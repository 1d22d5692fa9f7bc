import type { CgroupSpec, Engine, EngineName, SourceReader } from '../engine/engine.js';
import { cgroupDirectory, failureToError } from '../engine/failure-error.js';
import { type EngineChoice, selectEngine } from '../engine/select.js';
import { assertPid } from '../episode/index.js';
import {
  assertBoolean,
  assertOptions,
  assertPath,
  type OptionKeys,
  ProcError,
  TelemetryError,
} from '../error/index.js';
import { episodeCgroup } from '../host/episode-cgroup.js';
import { dispose } from '../realm/index.js';
import type { PartIndexValue } from '../schema/enumerations.js';
import { type PartRead, PartReader } from './part-reader.js';

export interface CgroupReaderOptions {
  /** `'auto'` (default) uses the native engine if the addon loads, else the JS engine. */
  readonly engine?: EngineChoice | undefined;
  /** Require a cgroup2 file system. Default: true. Use `false` for fixtures and recorded trees. */
  readonly requireCgroupfs?: boolean | undefined;
}

export interface EpisodeReaderOptions extends CgroupReaderOptions {
  /** Default: the cgroup2 mount found in `/proc/self/mountinfo`. */
  readonly root?: string | undefined;
  /** Default: `episcope.slice`. A dash separates levels: `my-jobs.slice` is below `my.slice`. */
  readonly slice?: string | undefined;
}

const READER: OptionKeys<CgroupReaderOptions> = { engine: true, requireCgroupfs: true };
const EPISODE_READER: OptionKeys<EpisodeReaderOptions> = { ...READER, root: true, slice: true };

const PROC_ROOT = '/proc';

/**
 * Reads one cgroup v2 directory: `cpu.stat`, `memory.current`, `memory.peak`, `memory.stat`, `io.stat`. The
 * directory is opened once and its files are kept open, so that a read costs about a microsecond per file.
 *
 * The read methods do not throw if a kernel file cannot be read or parsed. The part is unavailable then, and its
 * `error` is `ERR_CGROUP_READ`, `ERR_CGROUP_PARSE`, `ERR_CONTROLLER_NOT_ENABLED`, or `ERR_CGROUP_NOT_FOUND` once the
 * directory has been removed.
 *
 * ```ts
 * using reader = CgroupReader.fromPath('/sys/fs/cgroup/system.slice/nginx.service');
 * const cpu = reader.readCpu();
 * if (cpu.isAvailable) console.log(cpu.usageMs);
 * ```
 */
export class CgroupReader extends PartReader {
  /** Absolute path of the directory. */
  readonly path: string;
  readonly #engine: Engine;
  readonly #reader: SourceReader;
  #fallback: SourceReader | null = null;
  #closed = false;

  private constructor(engine: Engine, spec: CgroupSpec) {
    super();
    this.#engine = engine;
    this.#reader = this.#engine.openCgroup(spec);
    this.path = cgroupDirectory(spec);
  }

  /**
   * Opens the scope of an episode, `<root>/<slice>/episode-<id>.scope`.
   *
   * Throws `ERR_INVALID_EPISODE_ID`, `ERR_CGROUP_PATH`, `ERR_CGROUP_NOT_AVAILABLE` (no cgroup2 mount),
   * `ERR_CGROUP_NOT_FOUND`, `ERR_NOT_CGROUP2`, `ERR_CGROUP_READ`, `ERR_ENGINE_UNAVAILABLE`.
   */
  static forEpisode(id: string, options: EpisodeReaderOptions = {}): CgroupReader {
    const { root, slice, requireCgroupfs = true } = checked(options, EPISODE_READER);
    assertPath('root', root);
    const engine = selectEngine(options.engine);
    return new CgroupReader(engine, { ...episodeCgroup(id, root, slice), requireCgroupfs });
  }

  /** Opens any cgroup by its absolute path, which must not contain a symlink or `..`. Throws as `forEpisode` does. */
  static fromPath(path: string, options: CgroupReaderOptions = {}): CgroupReader {
    const { requireCgroupfs = true, engine } = checked(options, READER);
    assertPath('path', path ?? null);
    return new CgroupReader(selectEngine(engine), { root: path, path: '', requireCgroupfs });
  }

  /**
   * Reads a part from this process and its descendants (`source: 'proc'`) if it cannot be read from the cgroup. The
   * process is pinned now; if it has exited already, there is no fallback. Throws `ERR_INVALID_PID`, and `ERR_STOPPED`
   * after `close()`.
   */
  withFallbackPid(pid: number): this {
    assertPid(pid);
    this.#assertOpen();
    this.#fallback?.close();
    this.#fallback = null;
    try {
      this.#fallback = this.#engine.openProc({
        pid,
        procRoot: PROC_ROOT,
        tree: true,
        reaperPid: 0,
      });
    } catch (error) {
      if (!(error instanceof ProcError)) throw error;
    }
    return this;
  }

  get engine(): EngineName {
    return this.#engine.name;
  }

  protected override readPart(part: PartIndexValue): PartRead {
    this.#assertOpen();
    const bit = 1 << part;
    if ((this.#reader.read(bit) & bit) !== 0) return [this.#reader.words, { source: 'cgroup' }];
    if (this.#fallback !== null && (this.#fallback.read(bit) & bit) !== 0) {
      return [this.#fallback.words, { source: 'proc' }];
    }
    const failure = this.#reader.failure(part);
    const place = { cgroupPath: this.path, procRoot: PROC_ROOT };
    const error = failure === null ? null : failureToError(failure, place);
    return [this.#reader.words, { source: 'unavailable', error }];
  }

  #assertOpen(): void {
    if (this.#closed) {
      throw new TelemetryError('ERR_STOPPED', `the reader of ${this.path} is closed`);
    }
  }

  /** Closes the descriptors. Idempotent. Later reads throw `ERR_STOPPED`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.close();
    this.#fallback?.close();
  }

  [dispose](): void {
    this.close();
  }
}

function checked<T extends CgroupReaderOptions>(options: T, keys: OptionKeys<T>): T {
  assertOptions('options', options, keys);
  assertBoolean('requireCgroupfs', options.requireCgroupfs);
  return options;
}
