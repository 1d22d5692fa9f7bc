// The worker of the JS engine's sampler: when it dies, and when there is none.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { SamplerClient, startSamplerWorker } from '../../src/engine/js/sampler-client.js';
import type { StartSamplerWorker } from '../../src/engine/js/sampler-connection.js';
import { selectEngine } from '../../src/engine/select.js';
import { RingWriter } from '../../src/ring/writer.js';
import { FrameFlag, FrameWord, MetaShift, QualityBit } from '../../src/schema/layout.js';
import { until } from './child.js';
import { block, Sampling, slotOf } from './sampling.js';

/** An engine of its own, whose workers the test can end. */
function engineWithWorkers(
  start = startSamplerWorker,
  startLimitMs = 10_000,
): { engine: Engine; workers: Worker[] } {
  const workers: Worker[] = [];
  const client = new SamplerClient((data) => {
    const worker = start(data);
    workers.push(worker);
    return worker;
  }, startLimitMs);
  const engine: Engine = {
    ...selectEngine('js'),
    name: 'js',
    startEpisode: (spec, onNews) => client.start(spec, onNews),
  };
  return { engine, workers };
}

/** The real worker, to which a script does something. */
function brokenWorker(script: string, more: object = {}): StartSamplerWorker {
  const module = new URL('../../dist/engine/js/sampler-worker.js', import.meta.url).href;
  const code = `const { parentPort, workerData } = require('node:worker_threads');
    import(${JSON.stringify(module)}).then(() => { ${script} });`;
  return (data) =>
    new Worker(code, {
      eval: true,
      workerData: { ...data, ...more },
      transferList: [data.outcomes],
    });
}

const throwOnFrame = (message: string): string =>
  `parentPort.on('message', ({ kind }) => {
    if (kind === 'frame') throw new Error(${JSON.stringify(message)});
  });`;

it('that has no working directory is refused at once', () => {
  const script = `
    import { mkdtempSync, rmdirSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    const { TelemetryCollector } = await import(process.argv[1]);
    const directory = mkdtempSync(tmpdir() + '/episcope-deleted-');
    process.chdir(directory);
    process.cwd();
    rmdirSync(directory);
    try {
      new TelemetryCollector(undefined, { engine: 'js' }).start('deleted', process.pid);
    } catch ({ code, message }) {
      console.log(code, message);
    }`;
  const built = new URL('../../dist/index.js', import.meta.url).href;
  const args = ['--input-type=module', '-e', script, built];
  expect(execFileSync(process.execPath, args, { encoding: 'utf8' })).toBe(
    'ERR_ENGINE_UNAVAILABLE cannot start the sampler of the JS engine: Node cannot start a worker without a working directory (ENOENT)\n',
  );
});

describe('a sampler whose worker ends', () => {
  it('every episode of it has a terminal frame that repeats its last values and says so', async () => {
    const { engine, workers } = engineWithWorkers();
    const samplings = [new Sampling(engine), new Sampling(engine, { periodMs: 1 })];
    await until(() => samplings.every(({ head }) => head >= 3));
    await workers[0]!.terminate();
    await Promise.all(samplings.map((sampling) => sampling.over()));
    for (const sampling of samplings) {
      expect(sampling.ended).toEqual({
        exited: false,
        failure: expect.stringContaining('the sampler'),
      });
      expect(sampling.ringEnded).toBe(true);
      const slots = sampling.slots();
      const [last, terminal] = slots.slice(-2);
      expect(slots.filter(({ flags }) => (flags & FrameFlag.TERMINAL) !== 0)).toEqual([terminal]);
      expect(terminal!.seq).toBe(last!.seq + 1);
      expect(terminal!.tsMono).toBeGreaterThan(last!.tsMono);
      const values = [FrameWord.CPU_NS, FrameWord.IO_WRITE_BYTES + 1] as const;
      expect(terminal!.words.slice(...values)).toEqual(last!.words.slice(...values));
      const carried = QualityBit.STALE | QualityBit.LOWER_BOUND;
      for (const shift of [MetaShift.QUALITY_CPU, MetaShift.QUALITY_MEMORY]) {
        expect((terminal!.meta >> shift) & 15).toBe(carried);
      }
    }
  });

  it('what was asked for is answered by that frame, and nothing is told after it', async () => {
    const { engine, workers } = engineWithWorkers();
    const sampling = new Sampling(engine);
    const ending = workers[0]!.terminate();
    sampling.episode.requestFrame(5, 0);
    await ending;
    await sampling.over();
    expect(sampling.replies.map(({ request, words }) => [request, slotOf(words).seq])).toEqual([
      [5, sampling.head - 1],
    ]);
    const told = sampling.news.length;
    sampling.episode.requestFrame(6, 0);
    sampling.episode.requestEnd();
    const next = new Sampling(engine);
    await next.end();
    expect(sampling.news).toHaveLength(told);
  });

  it('the next start has a new one', async () => {
    const { engine, workers } = engineWithWorkers();
    const sampling = new Sampling(engine);
    await workers[0]!.terminate();
    await sampling.over();
    const next = new Sampling(engine);
    await until(() => next.head >= 3);
    expect(workers).toHaveLength(2);
    await next.end();
    expect(next.ended!.failure).toBeNull();
  });

  it('an initial frame that is all there is stays the only initial one', async () => {
    const { engine, workers } = engineWithWorkers();
    const sampling = new Sampling(engine, { periodMs: 3_600_000 });
    await workers[0]!.terminate();
    await sampling.over();
    const ends = sampling.slots().map(({ flags }) => flags & ~FrameFlag.DEGRADED);
    expect(ends).toEqual([FrameFlag.INITIAL, FrameFlag.TERMINAL]);
  });

  it('a terminal frame that it still took is the only one', async () => {
    const { engine, workers } = engineWithWorkers();
    const sampling = new Sampling(engine, { periodMs: 3_600_000 });
    // As if it died between this frame and the end of the ring.
    const words = sampling.atStart[0]!.words.slice();
    words[FrameWord.META] = BigInt(FrameFlag.TERMINAL);
    new RingWriter(sampling.ring).publish(words);
    await workers[0]!.terminate();
    await sampling.over();
    expect(sampling.head).toBe(2);
    expect(sampling.ringEnded).toBe(true);
  });

  it('a ring that was destroyed meanwhile harms nobody', async () => {
    const { engine, workers } = engineWithWorkers();
    const samplings = [1, 2].map(() => new Sampling(engine, { periodMs: 3_600_000 }));
    new Uint8Array(samplings[0]!.ring).fill(0xff);
    await workers[0]!.terminate();
    await Promise.all(samplings.map((sampling) => sampling.over()));
    expect(samplings[1]!.slots().at(-1)!.flags & FrameFlag.TERMINAL).toBe(FrameFlag.TERMINAL);
  });

  it('what it threw is the failure', async () => {
    const { engine } = engineWithWorkers(brokenWorker(throwOnFrame('out of luck')));
    const sampling = new Sampling(engine);
    sampling.episode.requestFrame(1, 0);
    await sampling.over();
    expect(sampling.ended).toEqual({ exited: false, failure: 'out of luck' });
    expect(sampling.ringEnded).toBe(true);
  });

  it('is replaced by the next start although its owner had no turn to hear of its end', async () => {
    const dead = new Int32Array(new SharedArrayBuffer(4));
    const tellDeath = `process.once('exit', () => Atomics.store(workerData.dead, 0, 1));`;
    const broken = brokenWorker(throwOnFrame('') + tellDeath, { dead });
    const { engine, workers } = engineWithWorkers((data) =>
      (workers.length === 0 ? broken : startSamplerWorker)(data),
    );
    const sampling = new Sampling(engine);
    sampling.episode.requestFrame(1, 0);
    block(() => Atomics.load(dead, 0) === 1);
    const next = new Sampling(engine);
    expect(workers).toHaveLength(2);
    await sampling.over();
    await next.end();
    expect(next.ended!.failure).toBeNull();
  });

  it('while a start waits for it fails that start, without waiting for its time limit', () => {
    const { engine } = engineWithWorkers(
      brokenWorker(`workerData.outcomes.postMessage = () => { throw new Error('mute'); };`),
      3_600_000,
    );
    expect(() => new Sampling(engine)).toThrow(
      expect.objectContaining({
        code: 'ERR_ENGINE_UNAVAILABLE',
        message: expect.stringContaining('its worker exited'),
      }),
    );
  });
});

describe('samplers of several evaluations of the package in one thread', () => {
  it('one that has nothing to do ends when another starts, and is started again when it is used', async () => {
    const [first, second] = [engineWithWorkers(), engineWithWorkers()];
    await new Sampling(first.engine).end();
    const ended = once(first.workers[0]!, 'exit');
    await new Sampling(second.engine).end();
    await ended;
    await new Sampling(first.engine).end();
    expect(first.workers).toHaveLength(2);
  });

  it('one that samples is left alone', async () => {
    const [first, second] = [engineWithWorkers(), engineWithWorkers()];
    const sampling = new Sampling(first.engine);
    await new Sampling(second.engine).end();
    const { head } = sampling;
    await until(() => sampling.head >= head + 3);
    await sampling.end();
    expect(sampling.ended).toEqual({ exited: false, failure: null });
    expect(first.workers).toHaveLength(1);
  });
});

describe('a sampler without a worker', () => {
  const code = 'ERR_ENGINE_UNAVAILABLE';

  it('that cannot be started is told at once, with the cause', () => {
    const { engine } = engineWithWorkers(() => {
      throw new Error('no threads here');
    });
    expect(() => new Sampling(engine)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining('no threads here') }),
    );
  });

  it('that never answers is given up, and the next start tries another', async () => {
    let started = 0;
    // The second has all the time it needs, because it answers.
    const start: StartSamplerWorker = (data) =>
      started++ === 0
        ? new Worker('setInterval(() => {}, 1000)', { eval: true })
        : startSamplerWorker(data);
    const { engine } = engineWithWorkers(start, 2_000);
    expect(() => new Sampling(engine)).toThrow(expect.objectContaining({ code }));
    const next = new Sampling(engine);
    block(() => next.head >= 3);
    await next.end();
  });
});
