/** CLOCK_BOOTTIME, and with it every starttime, is another in a time namespace: who looks from one must kill nobody. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { findCgroup2Mount } from '../../src/host/index.js';
import { cleanStaleScopes } from '../../src/scope/index.js';
import { alive, INSTALLS, until } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';

const shiftedBy = (seconds: number): string[] => [
  'unshare',
  '--time',
  '--boottime',
  `${seconds}`,
  '--monotonic',
  `${seconds}`,
  '--',
];
const SHIFTED = shiftedBy(100_000);
const HERE: string[] = [];

const root = findCgroup2Mount() ?? '';
const slice = `episcope_time_${process.pid}.slice`;
const keeperScript = fileURLToPath(new URL('scope-keeper.mjs', import.meta.url));

function whyNot(): string | null {
  const noLeaf = Leaf.probe();
  if (noLeaf !== null) return noLeaf;
  const { status, stderr } = spawnSync(SHIFTED[0]!, [...SHIFTED.slice(1), 'true']);
  return status === 0 ? null : `no time namespace can be made: ${stderr ?? 'unshare is missing'}`;
}

const reason = whyNot();
if (reason !== null) console.log(`time namespaces are not tested on this host: ${reason}`);

const started: ChildProcess[] = [];

interface Kept {
  readonly child: ChildProcess;
  readonly path: string;
  readonly inside: number;
  end(): Promise<void>;
}

/** A scope that a process in these namespaces keeps. */
async function keep(where: readonly string[], id: string, env: object): Promise<Kept> {
  const [command = '', ...args] = [...where, process.execPath, keeperScript, root, slice, id];
  const child = spawn(command, args, {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  started.push(child);
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  const line = await until('the keeper to be ready', () => /^\{.*\}\n/.exec(said));
  const end = async () => {
    child.stdin?.end();
    await until('the keeper to end', () => child.exitCode !== null);
    expect(child.exitCode).toBe(0);
  };
  return { ...(JSON.parse(line[0]) as { path: string; inside: number }), child, end };
}

describe.skipIf(reason !== null).each(INSTALLS)('a scope, $name', ({ env }) => {
  afterEach(async () => {
    for (const child of started.splice(0)) {
      child.kill('SIGKILL');
      await until('the keeper to be dead', () => !alive(child.pid!));
    }
    await cleanStaleScopes([root], { slice });
    expect(existsSync(`${root}/${slice}`)).toBe(false);
  });

  test.each([
    ['made in a time namespace lives, whoever cleans outside of it', SHIFTED, HERE],
    ['made outside of a time namespace lives, whoever cleans in it', HERE, SHIFTED],
    ['made in one time namespace lives, whoever cleans in another', SHIFTED, shiftedBy(200_000)],
  ])('%s', async (_, maker, cleaner) => {
    const kept = await keep(maker, 'kept', env);
    // Every start cleans.
    await (await keep(cleaner, 'other', env)).end();
    expect(alive(kept.inside)).toBe(true);
    await kept.end();
    expect(existsSync(kept.path)).toBe(false);
  });

  test('of a dead owner is removed from another time namespace too: nobody has its pid', async () => {
    const left = await keep(SHIFTED, 'left', env);
    left.child.kill('SIGKILL');
    await until('the keeper to be dead', () => !alive(left.child.pid!));
    await (await keep(HERE, 'other', env)).end();
    expect(alive(left.inside)).toBe(false);
    expect(existsSync(left.path)).toBe(false);
  });
});
