/** Processes that have, in the /proc of our pid namespace, the numbers of others in a namespace below. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect } from 'vitest';

/** The reason that episcope tells. */
export const FOREIGN = /the procfs at \/proc belongs to another pid namespace/;

/** null where pid namespaces can be made. */
export function whyNoPidNamespace(): string | null {
  const { status, stderr } = spawnSync('unshare', ['-pf', 'true'], { encoding: 'utf8' });
  return status === 0 ? null : (stderr ?? 'there is no unshare').trim();
}

let bystanders: ChildProcess[] = [];

/** Some that live until the test ends, numbered from the returned one on. */
export function startBystanders(): number {
  bystanders = Array.from({ length: 60 }, () => spawn('sleep', ['1000'], { stdio: 'ignore' }));
  return bystanders[0]!.pid!;
}

/** Nobody has killed or stopped one. */
export function expectUnharmed(): void {
  for (const { pid } of bystanders) {
    expect(readFileSync(`/proc/${pid}/stat`, 'latin1')).not.toMatch(/\) [TtZX] /);
  }
}

afterEach(() => {
  for (const bystander of bystanders.splice(0)) bystander.kill('SIGKILL');
});
