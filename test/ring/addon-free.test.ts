import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { loadedBy } from '../support/module-graph.js';
import { filled, publish } from './derived-frame.js';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));

test('its files read frames in a worker, wherever they are put', async () => {
  const place = mkdtempSync(join(tmpdir(), 'episcope-reader-'));
  onTestFinished(() => rmSync(place, { recursive: true }));
  for (const module of loadedBy('readers/addon-free.js').keys())
    cpSync(join(dist, module), join(place, module));
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(place, 'worker.js'),
    `import { parentPort, workerData } from 'node:worker_threads';
     import { FrameReader, TelemetryError, TelemetryFrame } from './readers/addon-free.js';
     let code = null;
     try { new FrameReader(new SharedArrayBuffer(8)); }
     catch (error) { if (error instanceof TelemetryError) code = error.code; }
     const found = { code, seqs: [], missed: 0, whole: true };
     for await (const { frames, missed } of new FrameReader(workerData).frames()) {
       for (const frame of frames) {
         found.whole &&= frame instanceof TelemetryFrame && frame.pids === frame.seq + 20000;
         found.seqs.push(frame.seq);
       }
       found.missed += missed;
       parentPort.postMessage({ got: found.seqs.length });
     }
     parentPort.postMessage(found);`,
  );
  const { shared, writer } = filled(4, 6);
  const worker = new Worker(join(place, 'worker.js'), { workerData: { ring: shared } });
  expect(await once(worker, 'message')).toEqual([{ got: 4 }]);
  publish(writer, 1);
  expect(await once(worker, 'message')).toEqual([{ got: 5 }]);
  writer.end();
  expect(await once(worker, 'message')).toEqual([
    { code: 'ERR_RING_CORRUPT', seqs: [2, 3, 4, 5, 6], missed: 2, whole: true },
  ]);
});
