// Reads a ring until it ends, and tells of the first batch.
import { parentPort, workerData } from 'node:worker_threads';
import { FrameReader } from 'episcope';

let told = false;
for await (const { frames } of new FrameReader(workerData).frames()) {
  if (!told) parentPort.postMessage(frames.length);
  told = true;
}
