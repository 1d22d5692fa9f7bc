import { describe, expect, test } from 'vitest';
import { INSTALLS } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';
import { runScript } from '../support/run-script.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`scopes made in a worker are not tested here: ${noLeaf}`);

// Node's workers keep account of descriptors, and warn of one that they did not open.
describe.runIf(noLeaf === null)('a scope made in a worker', () => {
  test.each(INSTALLS)('gives rise to no warning of Node, $name', async ({ env }) => {
    const slice = `episcope_test_${process.pid}_worker.slice`;
    const options = 'NODE_OPTIONS' in env ? [String(env.NODE_OPTIONS)].filter(Boolean) : [];
    const script = new URL('in-worker.mjs', import.meta.url);
    expect(await runScript(script, [slice], options)).toEqual([]);
  });
});
