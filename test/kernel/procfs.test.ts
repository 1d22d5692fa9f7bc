import { execFile, execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { whyForeignProc } from '../../src/kernel/procfs.js';
import {
  expectUnharmed,
  FOREIGN,
  startBystanders,
  whyNoPidNamespace,
} from '../support/bystanders.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';

const whyNot = whyNoPidNamespace();
if (whyNot !== null) console.log(`the procfs of another pid namespace: skipped, ${whyNot}`);
const noLeaf = Leaf.probe();

const whyScript = `import(${JSON.stringify(new URL('../../dist/kernel/procfs.js', import.meta.url))})
  .then(({ whyForeignProc }) => console.log(JSON.stringify({ pid: process.pid, why: whyForeignProc() })));`;
const WHY = [process.execPath, '-e', whyScript] as const;

const environment = () => ({ ...process.env, NODE_OPTIONS: '' });

function seenFrom(file: string, ...args: string[]): { pid: number; why: string | null } {
  return JSON.parse(execFileSync(file, args, { env: environment(), encoding: 'utf8' }));
}

test('the /proc of our own pid namespace is ours', () => {
  expect(readlinkSync('/proc/self')).toBe(String(process.pid));
  expect(whyForeignProc()).toBeNull();
});

// The shell goes on forking until it gets a child that has the same number in both namespaces.
const UNTIL_EQUAL = `
tries=0
while [ $tries -lt 2000 ]; do
  tries=$((tries + 1))
  outer=$(sh -c 'read -r number _ < /proc/self/stat; echo $number')
  echo "$outer" > /proc/sys/kernel/ns_last_pid
  sh -c 'read -r number _ < /proc/self/stat; [ "$number" = "$$" ] || exit 9; exec "$@"' sh "$@"
  [ $? = 9 ] || exit 0
done
exit 1`;

describe.skipIf(whyNot !== null)('whose procfs it is', () => {
  test('that of an outer pid namespace is not ours', () => {
    expect(seenFrom('unshare', '-pf', ...WHY).why).toMatch(FOREIGN);
  });

  test('nor where this process happens to have the same number in both', () => {
    const { why } = seenFrom('unshare', '-pf', 'sh', '-c', UNTIL_EQUAL, 'sh', ...WHY);
    expect(why).toMatch(FOREIGN);
  });

  test('that of a new namespace, mounted anew, is its own', () => {
    expect(seenFrom('unshare', '-pf', '--mount-proc', ...WHY)).toEqual({ pid: 1, why: null });
  });

  test('another file system at /proc is none', () => {
    const mount = 'mount -t tmpfs none /proc && exec "$@"';
    const { why } = seenFrom('unshare', '-m', 'sh', '-c', mount, 'sh', ...WHY);
    expect(why).toBe('no procfs is mounted at /proc');
  });
});

describe.skipIf(whyNot !== null)('in the /proc of an outer pid namespace', () => {
  test.each(ENGINES)('engine %s believes nothing and signals nobody', async (engine) => {
    const script = fileURLToPath(new URL('foreign-proc.mjs', import.meta.url));
    const first = startBystanders();
    const leaf = noLeaf === null ? Leaf.make(`foreign-${engine}`) : null;
    if (leaf === null) console.log(`its cgroup: skipped, ${noLeaf}`);
    await leaf?.remove();
    const args = ['-pf', process.execPath, script, String(first), engine, leaf?.path ?? []].flat();
    const { stdout } = await promisify(execFile)('unshare', args, { env: environment() });
    const { pid, why, ...told } = JSON.parse(stdout);
    expect(pid).toBe(first);
    expect(why).toMatch(FOREIGN);
    expect(told).toEqual({
      start: 'ERR_PROC_NOT_AVAILABLE',
      manual: 'ERR_PROC_NOT_AVAILABLE',
      reader: 'ERR_PROC_NOT_AVAILABLE',
      scope: 'ERR_PROC_NOT_AVAILABLE',
      descendants: 'ERR_ACTION_FAILED',
      members: 'ENXIO',
      ...(leaf === null
        ? {}
        : {
            warnings: ['ERR_PROC_NOT_AVAILABLE'],
            sources: { cpu: 'cgroup', memory: 'unavailable', io: 'unavailable' },
            memory: null,
            io: null,
            signal: 'SIGKILL',
          }),
    });
    expectUnharmed();
  });
});
