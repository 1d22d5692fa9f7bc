import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type CgroupActions,
  cgroupActions,
  threadPoolActions,
} from '../../src/kernel/cgroup-actions.js';
import { until } from '../support/cli.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';
import { runScript } from '../support/run-script.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`actions on a real cgroup are not tested here: ${noLeaf}`);

const IMPLEMENTATIONS: [string, CgroupActions][] = [['thread pool', threadPoolActions]];
if (ENGINES.includes('native')) IMPLEMENTATIONS.unshift(['actuator', cgroupActions()]);

describe.each(IMPLEMENTATIONS)('%s', (name, actions) => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'episcope-actions-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('writes the text at the beginning of the file, in bytes, and truncates nothing', async () => {
    writeFileSync(join(directory, 'cgroup.freeze'), '......');
    expect(await actions.write(directory, 'cgroup.freeze', 'µ1')).toBeNull();
    expect(readFileSync(join(directory, 'cgroup.freeze'), 'utf8')).toBe('µ1...');
  });

  test('removes an empty directory', async () => {
    mkdirSync(join(directory, 'leaf'));
    expect(await actions.remove(join(directory, 'leaf'))).toBeNull();
    expect(existsSync(join(directory, 'leaf'))).toBe(false);
  });

  test('tells the errno and never rejects', async () => {
    mkdirSync(join(directory, 'outer/inner'), { recursive: true });
    writeFileSync(join(directory, 'target'), '0');
    symlinkSync('target', join(directory, 'cgroup.kill'));
    const told = await Promise.all([
      actions.write(directory, 'cgroup.procs', '1'),
      actions.write(join(directory, 'gone'), 'cgroup.procs', '1'),
      actions.write(directory, 'cgroup.kill', '1'),
      actions.write(directory, 'target\0.x', '1'),
      actions.write(directory, 'outer', '1'),
      actions.remove(join(directory, 'outer')),
      actions.remove(join(directory, 'gone')),
      actions.remove(`${directory}/outer/inner\0`),
    ]);
    expect(told).toEqual([
      'ENOENT',
      'ENOENT',
      'ELOOP',
      'EINVAL',
      'EISDIR',
      'ENOTEMPTY',
      'ENOENT',
      'EINVAL',
    ]);
    expect(readFileSync(join(directory, 'target'), 'utf8')).toBe('0');
    expect(existsSync(join(directory, 'outer/inner'))).toBe(true);
  });

  // A writer's open of a fifo waits for its reader, as a write to a cgroup may wait for the kernel.
  test('an action that stalls holds up neither the event loop nor a limit', async () => {
    execFileSync('mkfifo', [join(directory, 'cgroup.freeze'), join(directory, 'memory.high')]);
    expect(await actions.write(directory, 'memory.high', 'max')).toBe('ENXIO');
    let settled = false;
    const stalled = actions.write(directory, 'cgroup.freeze', '1').finally(() => {
      settled = true;
    });
    for (let turn = 0; turn < 100; turn++) await turnOfLoop();
    expect(settled).toBe(false);
    const reader = await open(join(directory, 'cgroup.freeze'));
    expect(await stalled).toBeNull();
    await reader.close();
  });

  test('a process lives until its action is done, and no longer', async () => {
    const result = await runScript(new URL('./pending-action.mjs', import.meta.url), [name]);
    expect(result).toEqual({ errno: null });
  });

  test.skipIf(noLeaf !== null)(
    'moves into, freezes, thaws, kills and removes a cgroup',
    async () => {
      const leaf = Leaf.make(`actions-${name.replace(' ', '-')}`);
      const events = () => readFileSync(`${leaf.path}/cgroup.events`, 'utf8');
      const child: ChildProcess = spawn('sleep', ['1000']);
      const exited = once(child, 'exit');
      expect(await actions.write(leaf.path, 'cgroup.procs', String(child.pid))).toBeNull();
      expect(readFileSync(leaf.procs, 'utf8').trim()).toBe(String(child.pid));
      expect(await actions.remove(leaf.path)).toBe('EBUSY');
      for (const frozen of ['1', '0']) {
        expect(await actions.write(leaf.path, 'cgroup.freeze', frozen)).toBeNull();
        await until(`frozen ${frozen}`, () => events().includes(`frozen ${frozen}`) || null);
      }
      expect(await actions.write(leaf.path, 'cgroup.procs', 'nobody')).toBe('EINVAL');
      expect(await actions.write(leaf.path, 'cgroup.kill', '1')).toBeNull();
      expect(await exited).toEqual([null, 'SIGKILL']);
      await until('populated 0', () => events().includes('populated 0') || null);
      expect(await actions.remove(leaf.path)).toBeNull();
      expect(existsSync(leaf.path)).toBe(false);
    },
  );
});
