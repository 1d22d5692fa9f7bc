// What of a reader keeps a process alive. Prints what came of it; the process must end by itself.

import { Worker } from 'node:worker_threads';
import { createRing } from '../../dist/ring/index.js';
import { RingHeader, RingWriterKind } from '../../dist/schema/layout.js';
import { READERS } from './readers.mjs';

const [kind, engine, what] = process.argv.slice(2);
const ring = createRing({ episodeId: 'job', pid: 1, startMonoNs: 0n, capacity: 4 });
// What the writer says when it binds: here it does that later than the reader.
Atomics.store(
  new Uint32Array(ring),
  RingHeader.WRITER / 4,
  engine === 'native' ? RingWriterKind.NATIVE : RingWriterKind.JS,
);
const say = (value) => process.stdout.write(JSON.stringify(value));
const abort = new AbortController();
const batches = new READERS[kind]({ ring }).frames({ signal: abort.signal });

const whatHappens = {
  'a next() that waits': () => {
    new Worker(new URL('./keep-alive-writer.mjs', import.meta.url), {
      workerData: { ring, engine },
    }).unref();
    batches.next().then(({ value }) => say(value.frames.length));
  },
  'nothing that waits': () => say('idle'),
  'a next() that was ended': () => {
    batches.next().then(({ done }) => say(done));
    batches.return();
  },
  'a next() that was aborted': () => {
    batches.next().catch(({ name }) => say(name));
    abort.abort();
  },
};
whatHappens[what]();
