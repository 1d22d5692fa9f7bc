/** The JS engine: implements the interface of `engine.ts` without native code. */
import { TelemetryError } from '../../error/index.js';
import { bindRing } from '../../ring/header.js';
import type {
  CgroupSpec,
  Engine,
  ManualEpisode,
  ManualSpec,
  ProcSpec,
  SampledEpisode,
  SamplerNews,
  SamplingSpec,
  SourceReader,
} from '../engine.js';
import { cgroupDirectory, failureToError, placeOf } from '../failure-error.js';
import { CgroupReader } from './cgroup-reader.js';
import { JsEpisode } from './episode.js';
import { ProcReader } from './proc-reader.js';
import { Reading } from './reading.js';
import { SampledEpisode as SampledMachine } from './sampled-episode.js';
import { SamplerClient } from './sampler-client.js';

const UNSCHEDULED = {
  byHand: true,
  periodNs: 0n,
  fastPeriodNs: 0n,
  tripwires: [],
  notifyEvery: 0,
};

class JsEngine implements Engine {
  readonly name = 'js';
  readonly #sampler = new SamplerClient();

  openCgroup(spec: CgroupSpec): SourceReader {
    const reader = new CgroupReader();
    const failure = reader.open(spec);
    if (failure !== null) {
      throw failureToError(failure, { cgroupPath: cgroupDirectory(spec), procRoot: '' });
    }
    return sourceReader(reader, (parts, reading) =>
      reader.read(parts, process.hrtime.bigint(), reading),
    );
  }

  openProc(spec: ProcSpec): SourceReader {
    const reader = new ProcReader();
    const failure = reader.open(spec);
    if (failure !== null) {
      throw failureToError(failure, { cgroupPath: '', procRoot: spec.procRoot });
    }
    return sourceReader(reader, (parts, reading) => reader.read(parts, reading));
  }

  openEpisode(spec: ManualSpec): ManualEpisode {
    const anchorNs = bindRing(spec.ring).shape.startMonoNs;
    const episode = new JsEpisode(spec, (failure) => failureToError(failure, placeOf(spec)));
    if (spec.budget !== null) episode.setBudget(spec.budget, anchorNs);
    const clock = process.hrtime.bigint;
    const sampling = { ...UNSCHEDULED, anchorNs, onExhausted: spec.onExhausted };
    const machine = new SampledMachine(episode, sampling, clock);
    return {
      sample: (flags) => machine.sample(flags),
      publish: (words, flags) => machine.publish(words, flags),
      requestEnd: () => machine.requestEnd(),
      wake: () => {
        machine.wake(clock());
        return machine.over;
      },
      takeNews: () => machine.takeNews(),
    };
  }

  startEpisode(spec: SamplingSpec, onNews: (news: SamplerNews) => void): SampledEpisode {
    return this.#sampler.start(spec, onNews);
  }
}

function sourceReader(
  reader: Pick<SourceReader, 'failure' | 'close'>,
  read: (parts: number, reading: Reading) => number,
): SourceReader {
  const reading = new Reading();
  return {
    words: reading.words,
    read: (parts) => {
      reading.clear();
      return read(parts, reading);
    },
    failure: (part) => reader.failure(part),
    close: () => reader.close(),
  };
}

const engine = new JsEngine();

/** Returns the JS engine. Throws `ERR_UNSUPPORTED_PLATFORM` unless the platform is Linux. */
export function jsEngine(): Engine {
  if (process.platform !== 'linux') {
    throw new TelemetryError(
      'ERR_UNSUPPORTED_PLATFORM',
      `episcope reads Linux kernel files; this is ${process.platform}`,
    );
  }
  return engine;
}
