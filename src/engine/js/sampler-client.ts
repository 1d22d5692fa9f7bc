/** The sampler of this thread: its worker is started when the first episode needs it, and again if it died. */
import { accessSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { TelemetryError } from '../../error/index.js';
import { whyNotOpen } from '../../kernel/descriptors.js';
import { messageOf } from '../../realm/index.js';
import type { SampledEpisode, SamplerNews, SamplingSpec } from '../engine.js';
import { SamplerConnection, type StartSamplerWorker } from './sampler-connection.js';

// From the package's root, so that this module is also right where it runs as source: workers run what is built.
const WORKER = new URL('../../../dist/engine/js/sampler-worker.js', import.meta.url);

/** The first start also starts the worker: some 40 ms on an idle machine. */
const START_LIMIT_MS = 10_000;

/** Nothing of the owner's options and environment (loaders, inspectors) belongs into the sampler. */
export const startSamplerWorker: StartSamplerWorker = (data) => {
  // A worker without its file would say so only to an event loop, which is waiting for it.
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

/** Node starts no worker in a directory that was deleted. `process.cwd()` would answer with what it was before. */
function assertWorkingDirectory(): void {
  try {
    realpathSync.native('.');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`Node starts no worker without a working directory (${code})`, { cause });
  }
}

/** A worker opens as many while it starts: its event loop, its modules. One that lacks them never answers. */
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

  /** As `Engine.startEpisode`. Throws `ERR_ENGINE_UNAVAILABLE` when no worker can be had. */
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
        `the JS engine's sampler does not start: ${text}`,
        { cause, errno: cause instanceof TelemetryError ? cause.errno : null },
      );
    }
  }
}
