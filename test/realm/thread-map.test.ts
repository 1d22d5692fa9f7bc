import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { threadMap } from '../../src/realm/thread-map.js';
import { scriptEnd } from '../support/script-end.js';

test('every evaluation of the package in a thread has the same map', async () => {
  threadMap<string, number>('test').set('a', 1);
  vi.resetModules();
  const again = await import('../../src/realm/thread-map.js');
  expect(again.threadMap).not.toBe(threadMap);
  expect(again.threadMap('test')).toBe(threadMap('test'));
  expect(again.threadMap('another')).not.toBe(threadMap('test'));
});

test('a map is of the first realm of the thread, whoever asks for it', () => {
  expect(threadMap('of whom')).toBeInstanceOf(Map);
  expect(threadMap('of whom')).not.toBeInstanceOf(runInNewContext('Map'));
});

test('another thread has maps of its own', async () => {
  threadMap<string, number>('test').set('here', 1);
  const module = new URL('../../dist/realm/thread-map.js', import.meta.url).href;
  const worker = new Worker(
    `import(${JSON.stringify(module)}).then(({ threadMap }) =>
      require('node:worker_threads').parentPort.postMessage(threadMap('test').size));`,
    { eval: true },
  );
  onTestFinished(() => void worker.terminate());
  expect(await new Promise((resolve) => worker.once('message', resolve))).toBe(0);
});

test('the warning that the addon does not load is given once in a thread', async () => {
  const script = new URL('./warned.mjs', import.meta.url);
  const { code, stderr } = await scriptEnd(script, [], 30_000, [
    '--no-addons',
    '--experimental-vm-modules',
  ]);
  expect(code).toBe(0);
  expect(stderr.match(/EPISCOPE_JS_ENGINE/g)).toHaveLength(1);
});
