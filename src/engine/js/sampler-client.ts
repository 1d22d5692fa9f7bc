/** The sampler of this thread. Its worker is started for the first episode, and again if it has died. */
import { accessSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { TelemetryError } from '../../error/index.js';
import { whyNotOpen } from '../../kernel/descriptors.js';
import { messageOf } from '../../realm/index.js';
import type { SampledEpisode, SamplerNews, SamplingSpec } from '../engine.js';
import { SamplerConnection, type StartSamplerWorker } from './sampler-connection.js';

// Relative to the package root, so that it also works when this module runs from source: workers need built code.
const WORKER = new URL('../../../dist/engine/js/sampler-worker.js', import.meta.url);

/** The first start includes the start of the worker, which takes about 40 ms on an idle machine. */
const START_LIMIT_MS = 10_000;

/** Starts the worker without the owner's options and environment (loaders, inspectors). */
export const startSamplerWorker: StartSamplerWorker = (data) => {
  // A worker reports a missing file to the event loop, which is blocked in the wait for the worker.
  accessSync(fileURLToPath(WORKER));
  assertWorkingDirectory();
  assertDescriptors();
  return new Worker(WORKER, {
    name: 'episcope-sampler',
    workerData: data,
    transferList: [data.outcomes],
    execArgv: [],
    env: {},
  });
};

/** Node cannot start a worker in a deleted directory. `process.cwd()` does not detect it, because it is cached. */
function assertWorkingDirectory(): void {
  try {
    realpathSync.native('.');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`Node cannot start a worker without a working directory (${code})`, { cause });
  }
}

/** Number of descriptors that a worker opens while it starts. A worker that runs out of them never answers. */
const WORKER_DESCRIPTORS = 32;

function assertDescriptors(): void {
  const errno = whyNotOpen(WORKER_DESCRIPTORS);
  if (errno === null) return;
  const message = `too few descriptors are left for a worker (${errno})`;
  throw new TelemetryError('ERR_ENGINE_UNAVAILABLE', message, { errno });
}

export class SamplerClient {
  readonly #startWorker: StartSamplerWorker;
  readonly #startLimitMs: number;
  #connection: SamplerConnection | null = null;

  constructor(startWorker = startSamplerWorker, startLimitMs = START_LIMIT_MS) {
    this.#startWorker = startWorker;
    this.#startLimitMs = startLimitMs;
  }

  /** Implements `Engine.startEpisode`. Throws `ERR_ENGINE_UNAVAILABLE` if the worker cannot be started. */
  start(spec: SamplingSpec, onNews: (news: SamplerNews) => void): SampledEpisode {
    if (this.#connection?.alive !== true) this.#connection = this.#connect();
    return this.#connection.start(spec, onNews);
  }

  #connect(): SamplerConnection {
    try {
      return new SamplerConnection(this.#startWorker, this.#startLimitMs);
    } catch (cause) {
      const text = messageOf(cause);
      throw new TelemetryError(
        'ERR_ENGINE_UNAVAILABLE',
        `cannot start the sampler of the JS engine: ${text}`,
        { cause, errno: cause instanceof TelemetryError ? cause.errno : null },
      );
    }
  }
}
