/** What only the native sampler promises: one thread for the process, and an orderly end of every environment. */
import { describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { runScript } from '../support/run-script.js';

const promise = <T>(name: string) =>
  runScript<T>(new URL('./native-sampler.mjs', import.meta.url), [name]);

describe.runIf(ENGINES.includes('native'))('native sampler', () => {
  test('one thread samples for all workers, and ends with the last of them', async () => {
    expect(await promise('one thread')).toEqual({ both: 1, one: 1, none: 0 });
  });

  test('a worker that is terminated leaves ended rings, each with its terminal frame', async () => {
    const ring = { ended: true, terminals: 1, last: true, whole: true };
    expect(await promise('terminated worker')).toEqual([ring, ring, ring]);
  });

  test('a worker may be terminated in the middle of a call into the addon', async () => {
    expect(await promise('terminated in a call')).toBe(0);
  });

  test('an episode that is sampled keeps no process alive', async () => {
    expect(await promise('idle process')).toBe('nothing left to do');
  });

  test('a process that waits for the end stays alive until it is told, and no longer', async () => {
    expect(await promise('waiting process')).toEqual({ exited: false, failure: null });
  });

  test('claims are of the whole process, and end with the worker that has them', async () => {
    expect(await promise('claims')).toEqual({
      byWorker: true,
      meanwhile: false,
      afterwards: true,
      twice: false,
      released: true,
    });
  });

  test('a listener that throws is an uncaught exception, and the others are told all the same', async () => {
    expect(await promise('throwing listener')).toEqual(['from a listener']);
  });

  test('an episode that nobody holds is sampled on; one that ended frees its ring', async () => {
    expect(await promise('garbage')).toEqual({ frames: true, freed: true });
  });

  test('nothing is told, done or written after the end', async () => {
    expect(await promise('ended episode')).toEqual({
      ends: [{ exited: false, failure: null }],
      replies: [1],
      more: 0,
    });
  });
});
