import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { newSharedCollector, TelemetryCollector } from '../../src/index.js';
import { ENGINES } from '../support/engines.js';

const code = (expected: string) => expect.objectContaining({ code: expected });

describe.runIf(ENGINES.includes('native'))('a shared collector', () => {
  it('an id runs once in the process, whatever collector and worker started it', async () => {
    const mine = newSharedCollector();
    const other = newSharedCollector();
    const worker = new Worker(new URL('./shared-worker.mjs', import.meta.url));
    const inWorker = async (id: string): Promise<string> => {
      worker.postMessage({ start: id });
      return (await once(worker, 'message'))[0];
    };
    const first = mine.start('first', process.pid);
    expect(first.engine).toBe('native');
    expect(await inWorker('first')).toBe('ERR_ALREADY_STARTED');
    expect(await inWorker('second')).toBe('native');
    for (const collector of [mine, other]) {
      for (const id of ['first', 'second']) {
        expect(() => collector.start(id, process.pid)).toThrow(code('ERR_ALREADY_STARTED'));
      }
    }
    // A collector that is not shared counts its own.
    await new TelemetryCollector().start('second', process.pid).stop();

    await first.stop();
    expect(await inWorker('first')).toBe('native');
    // What a worker ran ends with it.
    await worker.terminate();
    for (const id of ['first', 'second']) await other.start(id, process.pid).stop();
  });

  it('what did not start is not running', async () => {
    const collector = newSharedCollector();
    expect(() => collector.start('absent', process.pid, { cgroupPath: '/absent' })).toThrow(
      code('ERR_CGROUP_NOT_FOUND'),
    );
    await collector.start('absent', process.pid).stop();
  });
});

describe('newSharedCollector', () => {
  it('takes no other engine', () => {
    for (const options of [null, { engine: 'js' }]) {
      expect(() => newSharedCollector(undefined, options as never)).toThrow(
        code('ERR_INVALID_CONFIG'),
      );
    }
  });

  it('is ERR_ENGINE_UNAVAILABLE where the addon does not load', async () => {
    const script = `
      import { newSharedCollector } from 'episcope';
      try { newSharedCollector(); } catch (error) { console.log(error.code); }`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--no-addons', '--input-type=module', '--eval', script],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)) },
    );
    expect(stdout).toBe('ERR_ENGINE_UNAVAILABLE\n');
  });
});
