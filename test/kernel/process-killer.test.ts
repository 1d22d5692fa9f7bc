// The twin of native/test/process_killer_test.cc, on processes of this machine.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { findCgroup2Mount } from '../../src/host/index.js';
import { type KillPlan, killEverything, killMembers } from '../../src/kernel/process-killer.js';
import { Child, statField, until } from '../engine/child.js';
import { Leaf } from '../support/leaf.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const NOBODY = { cgroup: null, processes: [], reapers: [], maySignal: true };
const kill = (plan: Partial<KillPlan>) => killEverything({ ...NOBODY, ...plan });

/** `none` once it is gone; a zombie whose other threads are gone too has ended. */
function stateOf(pid: number): string {
  try {
    return statField(pid, 3);
  } catch {
    return 'none';
  }
}

const lives = (pid: number): boolean => !['none', 'X', 'Z'].includes(stateOf(pid));
const known = (pid: number) => ({ pid, starttime: BigInt(statField(pid, 22)) });

async function dies(pid: number): Promise<void> {
  await until(() => !lives(pid));
}

/** Ends with its stdin, and at the latest with the test. */
async function startShell(script: string): Promise<{ child: Child; line: string }> {
  const started = await Child.shell(script);
  cleanups.push(() => started.child.kill());
  return started;
}

/** A process that waits. */
async function startWaiting(): Promise<number> {
  return (await startShell('echo ready; read line')).child.pid;
}

/** A process that waits, with a child that waits. */
async function startPair(): Promise<{ pid: number; below: number }> {
  const { child, line } = await startShell('sleep 1000 & echo $!; wait');
  const below = Number(line);
  cleanups.push(() => lives(below) && process.kill(below, 'SIGKILL'));
  return { pid: child.pid, below };
}

const FREEZER = '/sys/fs/cgroup/freezer';

/** Not even a SIGKILL ends what cgroup v1 has frozen. Why there is none here, or how it goes on. */
async function freezeForGood(pid: number): Promise<string | { thaw(): void }> {
  const group = `${FREEZER}/episcope-test-${process.pid}`;
  try {
    mkdirSync(group);
  } catch (cause) {
    return String(cause);
  }
  const write = (file: string, text: string): void => writeFileSync(join(group, file), text);
  cleanups.push(async () => {
    write('freezer.state', 'THAWED');
    await until(() => readFileSync(join(group, 'cgroup.procs'), 'utf8') === '');
    rmdirSync(group);
  });
  write('cgroup.procs', String(pid));
  write('freezer.state', 'FROZEN');
  await until(() => readFileSync(join(group, 'freezer.state'), 'utf8') === 'FROZEN\n');
  return { thaw: () => write('freezer.state', 'THAWED') };
}

function fixture(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'episcope-killer-'));
  cleanups.push(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

describe('by parentage', () => {
  it('spares the reaper, whose descendants are killed', async () => {
    const { pid, below } = await startPair();
    // `wait` of the shell returns once its child is gone: it may end, and is not killed.
    const { child } = await startShell('sleep 1000 & echo $!; wait; echo spared; read line');
    expect(await kill({ reapers: [child.pid] })).toBeNull();
    expect(lives(child.pid)).toBe(true);
    expect(stateOf(child.pid)).not.toBe('T');
    expect(lives(pid) && lives(below)).toBe(true);
    expect(await kill({ processes: [known(pid)] })).toBeNull();
    expect(lives(pid)).toBe(false);
    expect(lives(below)).toBe(false);
  });

  it('does not reach an orphan, which nothing links to the episode any more', async () => {
    const { line } = await startShell(
      'sh -c "sleep 1000 >/dev/null & echo \\$! \\$\\$"; read line',
    );
    const [orphan, middle] = line.split(' ').map(Number) as [number, number];
    cleanups.push(() => lives(orphan) && process.kill(orphan, 'SIGKILL'));
    await until(() => !lives(middle) && Number(statField(orphan, 4)) !== middle);
    expect(await kill({ processes: [{ pid: middle, starttime: 1n }] })).toBeNull();
    expect(lives(orphan)).toBe(true);
  });

  it('takes stopped processes too', async () => {
    const pid = await startWaiting();
    process.kill(pid, 'SIGSTOP');
    await until(() => stateOf(pid) === 'T');
    expect(await kill({ processes: [known(pid)] })).toBeNull();
    expect(lives(pid)).toBe(false);
  });

  it('leaves another process of the number alone, and what is below it', async () => {
    const { pid, below } = await startPair();
    const { starttime } = known(pid);
    expect(await kill({ processes: [{ pid, starttime: starttime - 1n }] })).toBeNull();
    for (const one of [pid, below]) {
      expect(lives(one)).toBe(true);
      expect(stateOf(one)).not.toBe('T');
    }
  });

  it('spares the caller that is the episode', async () => {
    const { pid, below } = await startPair();
    expect(await kill({ processes: [known(process.pid)] })).toBeNull();
    expect(lives(pid)).toBe(false);
    expect(lives(below)).toBe(false);
  });

  it('of nobody is no failure', async () => {
    const pid = await startWaiting();
    const gone = known(pid);
    process.kill(pid, 'SIGKILL');
    await until(() => stateOf(pid) === 'none');
    expect(await kill({ processes: [gone], reapers: [pid] })).toBeNull();
    expect(await kill({})).toBeNull();
  });

  it('finds a child that the kernel does not list', async () => {
    const script = fileURLToPath(new URL('unlisted-child.mjs', import.meta.url));
    const run = promisify(execFile);
    const found = await run('unshare', ['-m', process.execPath, script]).catch((cause) => cause);
    if (!/^\{/.test(found.stdout ?? '')) {
      console.log(`a child that is not listed: skipped, ${found.message ?? found.stdout}`);
      return;
    }
    expect(JSON.parse(found.stdout)).toEqual({ errno: null, killed: 2, living: [] });
  });

  it('is done when what hangs in the kernel has ended, and tells where it has not', async () => {
    const pid = await startWaiting();
    const plan = { cgroup: null, processes: [known(pid)], reapers: [] };
    const frozen = await freezeForGood(pid);
    if (typeof frozen === 'string') {
      console.log(`a process that hangs: skipped, ${frozen}`);
      return;
    }
    expect((await killMembers(plan, 50)).errno).toBe('ETIMEDOUT');
    expect(lives(pid)).toBe(true);
    const killed = killMembers(plan);
    frozen.thaw();
    expect((await killed).errno).toBeNull();
    expect(lives(pid)).toBe(false);
  });

  it('tells how many it killed', async () => {
    const { pid } = await startPair();
    const plan = { cgroup: null, processes: [known(pid)], reapers: [] };
    expect(await killMembers(plan)).toEqual({ killed: 2, errno: null });
    expect(await killMembers(plan)).toEqual({ killed: 0, errno: null });
  });

  it.skipIf(process.getuid!() !== 0)(
    'tells whom it may not signal, and takes the others',
    async () => {
      const pid = await startWaiting();
      const script = fileURLToPath(new URL('foreign-killer.mjs', import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [script, String(pid)]);
      expect(JSON.parse(stdout)).toEqual({ errno: 'EPERM', signal: 'SIGKILL' });
      expect(lives(pid)).toBe(true);
      expect(stateOf(pid)).not.toBe('T');
    },
  );
});

describe('of a cgroup of fixture files', () => {
  it('takes the listed where there is no cgroup.kill', async () => {
    const [listed, deeper, stranger] = [
      await startWaiting(),
      await startWaiting(),
      await startWaiting(),
    ];
    // The first of our pid namespace, the caller, one that is gone.
    const cgroup = fixture({
      'cgroup.procs': `1\n${process.pid}\n2147483647\n${listed}\n`,
      'deeper/cgroup.procs': `${deeper}\n`,
    });
    expect(await kill({ cgroup })).toBeNull();
    expect(lives(listed)).toBe(false);
    expect(lives(deeper)).toBe(false);
    expect(lives(stranger)).toBe(true);
  });

  it('tells of a member that has no number here, and takes the others', async () => {
    const listed = await startWaiting();
    const cgroup = fixture({ 'cgroup.procs': `0\n${listed}\n` });
    expect(await kill({ cgroup })).toBe('EPERM');
    expect(lives(listed)).toBe(false);
  });

  it('signals no number that is foreign', async () => {
    const pid = await startWaiting();
    const cgroup = fixture({ 'cgroup.procs': `${pid}\n` });
    expect(await kill({ cgroup, maySignal: false })).toBe('ENOENT');
    const foreign = { processes: [known(pid)], reapers: [process.pid], maySignal: false };
    expect(await kill(foreign)).toBeNull();
    expect(lives(pid)).toBe(true);
  });

  it('is not complete where the list cannot be read whole', async () => {
    const pid = await startWaiting();
    const cgroup = fixture({ 'cgroup.procs': `${pid}\nwhat is that\n` });
    expect(await kill({ cgroup })).toBe('EAGAIN');
    expect(lives(pid)).toBe(false);
  });

  it('writes cgroup.kill, which is the whole answer', async () => {
    const pid = await startWaiting();
    const cgroup = fixture({ 'cgroup.procs': `${pid}\n`, 'cgroup.kill': '0' });
    expect(await kill({ cgroup })).toBeNull();
    expect(readFileSync(join(cgroup, 'cgroup.kill'), 'utf8')).toBe('1');
    expect(lives(pid)).toBe(true);
  });

  it('writes no cgroup.kill of a cgroup that the caller is in', async () => {
    const cgroup = fixture({ 'cgroup.procs': `${process.pid}\n`, 'cgroup.kill': '0' });
    expect(await kill({ cgroup, maySignal: false })).toBe('EBUSY');
    expect(await kill({ cgroup })).toBeNull();
    expect(readFileSync(join(cgroup, 'cgroup.kill'), 'utf8')).toBe('0');
  });
});

const refused = Leaf.probe();
if (refused !== null) console.warn(`no real cgroup: ${refused}`);

describe.skipIf(refused !== null)('of a cgroup of this machine', () => {
  function makeLeaf(name: string): Leaf {
    const leaf = Leaf.make(name);
    cleanups.push(() => leaf.remove());
    return leaf;
  }
  const isEmpty = (leaf: Leaf): boolean => readFileSync(leaf.procs, 'utf8') === '';
  const living = (leaf: Leaf): number[] =>
    readFileSync(leaf.procs, 'utf8').split('\n').filter(Boolean).map(Number).filter(lives);
  const count = (leaf: Leaf): number => readFileSync(leaf.procs, 'utf8').split('\n').length - 1;

  /** The root of a bush in the leaf that grows for some seconds. */
  async function growBush(leaf: Leaf): Promise<number> {
    const grow =
      'grow() { i=0; while [ $i -lt 4 ]; do i=$((i + 1)); [ $1 -eq 0 ] || grow $(($1 - 1)) & sleep 0.02; done; sleep 60; }';
    const { child } = await startShell(
      `echo $$ >${leaf.procs}; ${grow}; echo ready; exec >/dev/null; grow 3`,
    );
    await until(() => count(leaf) > 40);
    return child.pid;
  }

  it('reaches the last of a bush that forks meanwhile by parentage', async () => {
    const leaf = makeLeaf('bush');
    const root = await growBush(leaf);
    const plan = { cgroup: null, processes: [known(root)], reapers: [] };
    const { killed, errno } = await killMembers(plan);
    expect(errno).toBeNull();
    expect(killed).toBeGreaterThan(20);
    expect(living(leaf)).toEqual([]);
  });

  it('reaches the last of a bush that forks meanwhile by the list of the cgroup', async () => {
    const leaf = makeLeaf('bush-listed');
    await growBush(leaf);
    const { killed, errno } = await killMembers({ cgroup: leaf.path, processes: [], reapers: [] });
    expect(errno).toBeNull();
    expect(killed).toBeGreaterThan(20);
    expect(living(leaf)).toEqual([]);
  });

  it('is the kernel’s where it can, also of foreign numbers', async () => {
    const leaf = makeLeaf('kernel');
    const { pid, below } = await startPair();
    for (const one of [pid, below]) writeFileSync(leaf.procs, String(one));
    expect(await kill({ cgroup: leaf.path, maySignal: false })).toBeNull();
    await dies(pid);
    await dies(below);
    await until(() => isEmpty(leaf));
  });

  it('spares the caller that is in it', async () => {
    const leaf = makeLeaf('caller');
    const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))![1]!;
    const { pid, below } = await startPair();
    writeFileSync(leaf.procs, String(process.pid));
    cleanups.push(() =>
      writeFileSync(`${findCgroup2Mount()}${own}/cgroup.procs`, String(process.pid)),
    );
    writeFileSync(leaf.procs, String(pid));
    expect(await kill({ cgroup: leaf.path, maySignal: false })).toBe('EBUSY');
    expect(lives(pid)).toBe(true);
    expect(await kill({ cgroup: leaf.path })).toBeNull();
    expect(lives(pid)).toBe(false);
    // Its child stayed elsewhere, and nothing says that it belongs to the episode.
    expect(lives(below)).toBe(true);
  });

  it('that is gone found nobody', async () => {
    const leaf = Leaf.make('gone');
    await leaf.remove();
    expect(await kill({ cgroup: leaf.path })).toBeNull();
    expect(await kill({ cgroup: leaf.path, maySignal: false })).toBe('ENOENT');
  });
});
