import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findCgroup2Mount } from '../../src/host/index.js';
import { alive, cli, INSTALLS, startCli, until } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`what a SIGKILLed run leaves is not tested here: ${noLeaf}`);

const slice = `${findCgroup2Mount()}/episcope.slice`;

/** A run that was SIGKILLed in the middle: its scope and its command live on until somebody cleans. */
async function killedRun(id: string, env: Readonly<Record<string, string>>): Promise<number> {
  const run = startCli(['run', '--id', id, 'sh', '-c', 'echo $$; exec sleep 600'], { env });
  const [, pid] = await run.saw(/^(\d+)\n/);
  expect(existsSync(`${slice}/episode-${id}.scope`)).toBe(true);
  run.child.kill('SIGKILL');
  // Its pipes stay open in the command that it left, so only its own end is waited for.
  await until('the run to be dead', () => !alive(run.child.pid!));
  return Number(pid);
}

describe.skipIf(noLeaf !== null).each(INSTALLS)(
  'what a SIGKILLed run left, $name',
  ({ name, env }) => {
    const id = `stale-${name === 'with the addon' ? 'native' : 'js'}-${process.pid}`;

    test.each([
      ['the next run', ['run', '--quiet', 'true']],
      ['doctor --clean', ['doctor', '--clean']],
    ])('is removed by %s', async (_, argv) => {
      const pid = await killedRun(id, env);
      expect((await cli(argv, { env })).code).toBe(0);
      await until('the command to be gone', () => !alive(pid));
      expect(existsSync(`${slice}/episode-${id}.scope`)).toBe(false);
    });
  },
);

test.skipIf(noLeaf !== null)('a scope without a mark is never touched', async () => {
  // A run that lives meanwhile keeps the slice.
  const keeper = startCli(['run', '--quiet', 'sh', '-c', 'echo ready; exec sleep 600']);
  await keeper.saw(/ready/);
  const foreign = `${slice}/episode-foreign-${process.pid}.scope`;
  mkdirSync(foreign);
  try {
    for (const argv of [
      ['run', '--quiet', 'true'],
      ['doctor', '--clean'],
    ]) {
      for (const { env } of INSTALLS) expect((await cli(argv, { env })).code).toBe(0);
    }
    expect(existsSync(foreign)).toBe(true);
  } finally {
    rmdirSync(foreign);
    keeper.child.kill('SIGTERM');
    await keeper.done;
  }
});

test.skipIf(noLeaf !== null)(
  'a run whose id is taken is refused, and the other one lives',
  async () => {
    const id = `taken-${process.pid}`;
    const first = startCli([
      'run',
      '--quiet',
      '--id',
      id,
      'sh',
      '-c',
      'echo ready; exec sleep 600',
    ]);
    await first.saw(/ready/);
    const { code, stderr } = await cli(['run', '--id', id, 'true']);
    expect(code).toBe(125);
    expect(stderr).toMatch(/^episcope: there is already a scope at .*; choose another --id\n$/);
    first.child.kill('SIGTERM');
    expect((await first.done).code).toBe(143);
  },
);
