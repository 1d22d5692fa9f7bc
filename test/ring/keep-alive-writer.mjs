// Publishes one frame when it has started; it keeps nothing alive itself.

import { workerData } from 'node:worker_threads';
import { selectEngine } from '../../dist/engine/select.js';
import { FRAME_WORDS } from '../../dist/schema/layout.js';

const { ring, engine } = workerData;
const episode = selectEngine(engine).openEpisode({
  episodeId: 'job',
  pid: process.pid,
  ring,
  tier: 'proc',
  cgroup: null,
  procRoot: '/proc',
  reaperPid: 0,
  memoryStatPeriodNs: 0n,
  budget: null,
  onExhausted: 'stop',
});
episode.publish(new BigUint64Array(FRAME_WORDS), 0);
