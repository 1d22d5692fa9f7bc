// What the JS engine hears of the end of a cgroup without reading its files.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { JsEpisode } from '../../src/engine/js/episode.js';
import { SampledEpisode } from '../../src/engine/js/sampled-episode.js';
import { Sampler } from '../../src/engine/js/sampler.js';
import type { EpisodeNews } from '../../src/engine/js/sampler-messages.js';
import { createRing } from '../../src/ring/index.js';
import { until } from './child.js';
import { LiveCgroup } from './sampling.js';

it('an end between the initial frame and the watch is seen all the same', async () => {
  const cgroup = new LiveCgroup();
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const startMonoNs = process.hrtime.bigint();
  const spec = {
    episodeId: 'ends-early',
    pid: child.pid!,
    ring: createRing({ episodeId: 'ends-early', pid: child.pid!, startMonoNs, capacity: 8 }),
    tier: 'auto' as const,
    cgroup: cgroup.spec,
    procRoot: '/proc',
    reaperPid: 0,
    memoryStatPeriodNs: 0n,
  };
  const episode = new JsEpisode(spec, ({ code }) => new Error(code));
  const hourNs = 3_600_000_000_000n;
  const sampled = new SampledEpisode(
    episode,
    {
      periodNs: hourNs,
      fastPeriodNs: hourNs,
      tripwires: [],
      onExhausted: 'stop',
      notifyEvery: 0,
      anchorNs: startMonoNs,
    },
    process.hrtime.bigint,
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');

  const told: EpisodeNews[] = [];
  new Sampler((batch) => told.push(...batch)).add(1, sampled, episode.eventsPath);
  await until(() => told.length > 0);
  expect(told[0]!.news.ended).toEqual({ exited: true, failure: null });
  cgroup.remove();
});
