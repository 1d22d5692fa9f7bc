// What the native sampler promises to a process with workers. argv[2]: which promise; prints its outcome as JSON.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadAddon } from '../../dist/addon/load.js';
import { loadNativeEngine } from '../../dist/engine/native/engine.js';
import { createRing, FrameReader } from '../../dist/ring/index.js';

const NOTHING = () => {};

function newRing(episodeId) {
  const startMonoNs = process.hrtime.bigint();
  return createRing({ episodeId, pid: process.pid, startMonoNs, capacity: 64 });
}

/** Samples this very process every ms. */
function start(episodeId, { ring = newRing(episodeId), onNews = NOTHING, ...options } = {}) {
  const spec = {
    episodeId,
    pid: process.pid,
    ring,
    tier: 'proc',
    cgroup: null,
    procRoot: '/proc',
    reaperPid: 0,
    memoryStatPeriodNs: 0n,
    periodNs: 1_000_000n,
    fastPeriodNs: 1_000_000n,
    tripwires: [],
    budget: null,
    onExhausted: 'stop',
    notifyEvery: 0,
    ...options,
  };
  return { ring, episode: loadNativeEngine().engine.startEpisode(spec, onNews) };
}

async function until(what) {
  while (!(await what())) await delay(1);
}

const written = (ring) => Atomics.load(new Uint32Array(ring), 48);
const samplerThreads = () =>
  readdirSync('/proc/self/task').filter((tid) => {
    try {
      return readFileSync(`/proc/self/task/${tid}/comm`, 'utf8') === 'episcope\n';
    } catch {
      return false; // ended since the listing
    }
  }).length;

/** A worker that does `task`, once it has said something. */
function startWorker(task) {
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  const said = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return said.then((message) => ({ worker, message }));
}

const WORKER_TASKS = {
  samples() {
    const rings = ['a', 'b', 'c'].map((id) => start(id, { notifyEvery: 1 }).ring);
    parentPort.postMessage(rings);
    setInterval(NOTHING, 1000);
  },
  claims() {
    parentPort.postMessage(loadAddon().addon.claims.claimEpisode('claimed'));
    parentPort.once('message', () => process.exit());
  },
  // Hardly ever out of the addon: the end comes in the middle of some call.
  calls() {
    const ask = (request) => {
      episode.requestFrame(request, 0);
      episode.setTripwires([{ metric: 'cpuNs', threshold: 0n, release: 0n, actions: 2 }]);
    };
    const { episode } = start('calls', {
      notifyEvery: 1,
      onNews: ({ replies }) => {
        for (const { request } of replies) ask(request);
      },
    });
    for (let request = 0; request < 20; request++) ask(request);
    parentPort.postMessage(null);
  },
};

const PROMISES = {
  async 'one thread'() {
    const workers = await Promise.all([startWorker('samples'), startWorker('samples')]);
    await until(() => workers.every(({ message }) => message.every((ring) => written(ring) > 3)));
    const both = samplerThreads();
    await workers[0].worker.terminate();
    const one = samplerThreads();
    await workers[1].worker.terminate();
    return { both, one, none: samplerThreads() };
  },

  async 'terminated worker'() {
    const { worker, message: rings } = await startWorker('samples');
    await until(() => rings.every((ring) => written(ring) > 3));
    await worker.terminate();
    return rings.map((ring) => {
      const reader = new FrameReader(ring);
      const { frames, missed } = reader.read();
      const terminal = frames.filter((frame) => frame.o11yFlags.terminal);
      return {
        ended: reader.ended,
        terminals: terminal.length,
        last: terminal[0] === frames.at(-1),
        whole: frames.length + missed === written(ring),
      };
    });
  },

  async 'idle process'() {
    start('idle', { notifyEvery: 1 });
    return 'nothing left to do';
  },

  async 'waiting process'() {
    const { episode } = start('waiting', {
      onNews: ({ ended }) => console.log(JSON.stringify(ended)),
    });
    episode.setWaiting(true);
    episode.requestEnd();
    return undefined;
  },

  async claims() {
    const claims = loadAddon().addon.claims;
    const { worker, message: byWorker } = await startWorker('claims');
    claims.releaseEpisode('claimed');
    const meanwhile = claims.claimEpisode('claimed');
    worker.postMessage('end');
    await new Promise((resolve) => worker.once('exit', resolve));
    const afterwards = claims.claimEpisode('claimed');
    const twice = claims.claimEpisode('claimed');
    claims.releaseEpisode('claimed');
    return { byWorker, meanwhile, afterwards, twice, released: claims.claimEpisode('claimed') };
  },

  async 'throwing listener'() {
    const uncaught = [];
    process.on('uncaughtException', (error) => uncaught.push(error.message));
    let news = 0;
    const bad = start('bad', {
      notifyEvery: 1,
      onNews: () => {
        throw new Error('from a listener');
      },
    });
    const good = start('good', { notifyEvery: 1, onNews: () => news++ });
    await until(() => uncaught.length >= 3 && news >= 3);
    bad.episode.requestEnd();
    good.episode.requestEnd();
    return [...new Set(uncaught)];
  },

  async garbage() {
    let ring = start('garbage').ring;
    for (let i = 0; i < 5; i++) {
      const before = written(ring);
      globalThis.gc();
      await until(() => written(ring) > before + 2);
    }
    const frames = written(ring) > 10;
    ring = null;

    const freed = { rings: 0, episodes: 0 };
    const registry = new FinalizationRegistry((what) => freed[what]++);
    const collected = (what) =>
      until(() => {
        globalThis.gc();
        return freed[what] >= 19;
      });
    let held = [];
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => {
        const { ring: ended, episode } = start('ended', {
          onNews: (news) => news.ended !== null && resolve(),
        });
        held.push(episode);
        registry.register(ended, 'rings');
        registry.register(episode, 'episodes');
        episode.requestEnd();
        episode.setWaiting(true);
      });
    }
    await collected('rings');
    held = null;
    await collected('episodes');
    return { frames, freed: true };
  },

  async 'ended episode'() {
    const told = [];
    const { episode, ring } = start('ended', { onNews: (news) => told.push(news) });
    episode.requestFrame(1, 0);
    episode.requestEnd();
    await until(() => told.at(-1)?.ended);
    const before = written(ring);
    episode.requestFrame(2, 0);
    episode.requestEnd();
    episode.setPeriod(1_000_000n, 1_000_000n);
    episode.setTripwires([{ metric: 'cpuNs', threshold: 0n, release: 0n, actions: 3 }]);
    episode.setWaiting(true);
    await delay(20);
    const ends = told.filter(({ ended }) => ended !== null);
    const replies = told.flatMap((news) => news.replies.map(({ request }) => request));
    return { ends: ends.map(({ ended }) => ended), replies, more: written(ring) - before };
  },

  async 'terminated in a call'() {
    for (let i = 0; i < 30; i++) {
      const { worker } = await startWorker('calls');
      await delay(Math.random() * 10);
      await worker.terminate();
    }
    return samplerThreads();
  },
};

if (isMainThread) {
  const outcome = await PROMISES[process.argv[2]]();
  if (outcome !== undefined) console.log(JSON.stringify(outcome));
} else {
  WORKER_TASKS[workerData]();
}
