// Starts sessions in a shared collector of its own, as it is told; answers with their codes.
import { parentPort } from 'node:worker_threads';
import { newSharedCollector } from '../../dist/index.js';

const collector = newSharedCollector();
parentPort.on('message', ({ start }) => {
  try {
    parentPort.postMessage(collector.start(start, process.pid).engine);
  } catch (error) {
    parentPort.postMessage(error.code);
  }
});
