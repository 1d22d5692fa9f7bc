// Swaps a directory for a symlink and back, until it is terminated.
import { renameSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

const { path, away, target } = workerData;
parentPort.postMessage(statSync(path).ino);
for (;;) {
  renameSync(path, away);
  symlinkSync(target, path);
  unlinkSync(path);
  renameSync(away, path);
}
