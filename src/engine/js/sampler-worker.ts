/** The worker that samples the episodes of one thread. `sampler-connection.ts` communicates with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { bindRing } from '../../ring/header.js';
import type { ReadFailure, SamplingSpec } from '../engine.js';
import { JsEpisode } from './episode.js';
import { SampledEpisode } from './sampled-episode.js';
import { Sampler } from './sampler.js';
import {
  Gate,
  type SamplerRequest,
  type SamplerWorkerData,
  type StartOutcome,
} from './sampler-messages.js';

class Refused extends Error {
  readonly failure: ReadFailure;

  constructor(failure: ReadFailure) {
    super(failure.code);
    this.failure = failure;
  }
}

const { gate, outcomes }: SamplerWorkerData = workerData;
const sampler = new Sampler((batch) => parentPort?.postMessage(batch));

function start(id: number, spec: SamplingSpec): StartOutcome {
  try {
    const episode = new JsEpisode(spec, (failure) => new Refused(failure));
    const anchorNs = bindRing(spec.ring).shape.startMonoNs;
    if (spec.budget !== null) episode.setBudget(spec.budget, anchorNs);
    const sampled = new SampledEpisode(episode, { ...spec, anchorNs }, process.hrtime.bigint);
    sampler.add(id, sampled, episode.eventsPath);
    return null;
  } catch (error) {
    return error instanceof Refused ? error.failure : String(error);
  }
}

function openGate(): void {
  Atomics.store(gate, Gate.OPEN, 1);
  Atomics.notify(gate, Gate.OPEN);
}

// A blocked owner receives no events, so the exit is also signaled through shared memory.
process.once('exit', () => {
  Atomics.store(gate, Gate.ENDED, 1);
  openGate();
});

function serve(request: SamplerRequest): void {
  switch (request.kind) {
    case 'start':
      outcomes.postMessage(start(request.id, request.spec));
      openGate();
      break;
    case 'frame':
      sampler.serve(request.id, (episode) => episode.requestFrame(request.request, request.flags));
      break;
    case 'end':
      sampler.serve(request.id, (episode) => episode.requestEnd());
      break;
    case 'tripwires':
      sampler.serve(request.id, (episode) => episode.requestTripwires(request.tripwires));
      break;
    case 'period':
      sampler.serve(request.id, (episode) =>
        episode.requestPeriod(request.periodNs, request.fastPeriodNs),
      );
      break;
    case 'taken':
      sampler.taken();
      break;
    case 'endAll':
      sampler.endAll(openGate);
      break;
  }
}

parentPort?.on('message', serve);
