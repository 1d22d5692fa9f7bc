import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { scopePlaces } from '../../src/host/scope-places.js';

const mount = mkdtempSync(join(tmpdir(), 'episcope-places-'));
afterAll(() => rmSync(mount, { recursive: true }));

/** A cgroup's directory, as far as it is looked at. */
function cgroup(path: string): string {
  const directory = join(mount, path);
  mkdirSync(directory, { recursive: true });
  for (const file of ['cgroup.procs', 'cgroup.subtree_control'])
    writeFileSync(join(directory, file), '');
  writeFileSync(join(directory, 'cgroup.type'), 'domain\n');
  return directory;
}

const OUTER = 'episcope.slice/episode-outer.scope';
const INNER = `${OUTER}/episcope.slice/episode-in_1.scope`;
for (const path of ['', 'episcope.slice', OUTER, `${OUTER}/episcope.slice`, INNER, `${INNER}/job`])
  cgroup(path);

test.each([
  ['', null, ['']],
  ['episcope.slice', null, ['', 'episcope.slice']],
  [OUTER, OUTER, [OUTER]],
  [`${OUTER}/episcope.slice`, OUTER, [OUTER, `${OUTER}/episcope.slice`]],
  [INNER, INNER, [INNER]],
  [`${INNER}/job`, INNER, [INNER, `${INNER}/job`]],
])('from %j scopes are made beneath the innermost episode, %j', (own, enclosing, parents) => {
  const found = scopePlaces(mount, join(mount, own));
  expect(found.enclosing).toBe(enclosing === null ? null : join(mount, enclosing));
  expect(found.places.map(({ parent }) => parent)).toEqual(
    parents.map((path) => join(mount, path)),
  );
});

test('what only looks like the scope of an episode is none', () => {
  for (const name of ['episode-.scope', 'episode-a.b.scope', 'run-1.scope', 'episode-a.service']) {
    const own = cgroup(name);
    expect(scopePlaces(mount, own).enclosing).toBeNull();
  }
});
