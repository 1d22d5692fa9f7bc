import { execFileSync, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { whyForeignProc } from '../../src/host/index.js';

const script = fileURLToPath(new URL('foreign-proc.mjs', import.meta.url));
const env = { ...process.env, NODE_OPTIONS: '' };
const whyNot = spawnSync('unshare', ['-pf', 'true']).status === 0 ? null : 'no namespaces here';
if (whyNot !== null) console.log(`the procfs of another pid namespace: skipped, ${whyNot}`);

function seenFrom(command: readonly [string, ...string[]]): { pid: number; why: string | null } {
  const [file, ...args] = command;
  return JSON.parse(execFileSync(file, args, { env, encoding: 'utf8' }));
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
    const { why } = seenFrom(['unshare', '-pf', process.execPath, script]);
    expect(why).toMatch(/\/proc belongs to another pid namespace/);
  });

  test('nor where this process happens to have the same number in both', () => {
    const command = ['unshare', '-pf', 'sh', '-c', UNTIL_EQUAL, 'sh', process.execPath, script];
    const { why } = seenFrom(command as [string, ...string[]]);
    expect(why).toMatch(/\/proc belongs to another pid namespace/);
  });

  test('that of a new namespace, mounted anew, is its own', () => {
    expect(seenFrom(['unshare', '-pf', '--mount-proc', process.execPath, script])).toEqual({
      pid: 1,
      why: null,
    });
  });

  test('another file system at /proc is none', () => {
    const mount = 'mount -t tmpfs none /proc && exec "$@"';
    const { why } = seenFrom(['unshare', '-m', 'sh', '-c', mount, 'sh', process.execPath, script]);
    expect(why).toBe('no procfs is mounted at /proc');
  });
});
