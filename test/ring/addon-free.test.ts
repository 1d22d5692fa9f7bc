import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { preProcessFile } from 'typescript';
import { expect, onTestFinished, test } from 'vitest';
import { filled, publish } from './derived-frame.js';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));

/** Every module that `file` of dist/ leads to, what they import from elsewhere, and who of them looks around. */
function moduleGraph(file: string): { modules: Set<string>; foreign: string[]; local: string[] } {
  const modules = new Set<string>();
  const foreign: string[] = [];
  const local: string[] = [];
  const open = [join(dist, file)];
  for (let module = open.pop(); module !== undefined; module = open.pop()) {
    const name = relative(dist, module);
    if (modules.has(name)) continue;
    modules.add(name);
    const text = readFileSync(module, 'utf8');
    // A bundle is somewhere else than its parts were.
    if (/\bimport\.meta\b/.test(text)) local.push(name);
    for (const { fileName } of preProcessFile(text, true, true).importedFiles) {
      if (fileName.startsWith('.')) open.push(resolve(dirname(module), fileName));
      else foreign.push(fileName);
    }
  }
  return { modules, foreign, local };
}

test('episcope/reader is made of frames, rings and errors alone', () => {
  const { modules, foreign, local } = moduleGraph('readers/addon-free.js');
  expect(foreign).toEqual([]);
  expect(local).toEqual([]);
  expect(new Set([...modules].map(dirname))).toEqual(
    new Set(['readers', 'ring', 'frame', 'error', 'episode', 'realm', 'schema']),
  );
  expect([...modules]).not.toContain('readers/frame-reader.js');
  expect([...modules]).toContain('ring/slot-reader.js');
});

test('the walk itself finds the addon where it is', () => {
  const { modules, foreign, local } = moduleGraph('readers/frame-reader.js');
  expect(modules).toContain('addon/load.js');
  expect(foreign).toContain('node:module');
  expect(local).toContain('addon/load.js');
});

test('its files read frames in a worker, wherever they are put', async () => {
  const place = mkdtempSync(join(tmpdir(), 'episcope-reader-'));
  onTestFinished(() => rmSync(place, { recursive: true }));
  const { modules } = moduleGraph('readers/addon-free.js');
  for (const module of modules) cpSync(join(dist, module), join(place, module));
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
