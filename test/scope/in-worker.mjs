// A scope is made, used and removed in a worker; prints the warnings of that.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { removeEpisodeScope, spawnInScope } from '../../dist/index.js';

const where = { slice: isMainThread ? process.argv[2] : workerData, strategy: 'direct' };

async function use(held) {
  const options = { id: 'worker', ...where, stdio: 'ignore', ...(held ? { beforeExec() {} } : {}) };
  const { child, scope } = await spawnInScope('true', [], options);
  await once(child, 'exit');
  await scope.remove({ kill: true });
}

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { workerData: where.slice });
  const [warnings] = await once(worker, 'message');
  console.log(JSON.stringify(warnings));
} else {
  const warnings = [];
  process.on('warning', ({ message }) => warnings.push(message));
  await use(false);
  await use(true);
  await removeEpisodeScope('worker', where).catch(() => {});
  // A warning is told in a later turn.
  setImmediate(() => parentPort.postMessage(warnings));
}
