import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { markerName, parseMarkerName } from '../../src/scope/marker.js';
import { currentOwner, formatOwner, ownerIsDead, parseOwner } from '../../src/scope/owner.js';

const here = currentOwner();

describe('the mark of an owner', () => {
  test('is written and read back', () => {
    expect(parseOwner(formatOwner(here))).toEqual(here);
  });

  test.each([
    '',
    'pid=1',
    `${formatOwner(here)} `,
    `${formatOwner(here)}\n`,
    'pid=-1 starttime=1 boot_id= pid_ns=1',
    'pid=1 starttime=1 boot_id=../x pid_ns=1',
  ])('%j is no mark', (text) => {
    expect(parseOwner(text)).toBeNull();
  });

  test('as a directory name it carries the episode too, dashes and all', () => {
    const { owner, id } = parseMarkerName(markerName(here, 'my-episode_1-2')) ?? {};
    expect(id).toBe('my-episode_1-2');
    expect(owner).toEqual({ ...here, bootId: here.bootId.slice(0, 8) });
  });

  test.each(['owner-1-2-abc', 'episode-x.scope', 'owner-1-2-abcdefab-4-a/b', 'made-by-episcope'])(
    '%s is no marker',
    (name) => {
      expect(parseMarkerName(name)).toBeNull();
    },
  );
});

describe('an owner is dead', () => {
  test('not while it lives, also by its short boot id', () => {
    expect(ownerIsDead(here)).toBe(false);
    expect(ownerIsDead({ ...here, bootId: here.bootId.slice(0, 8) })).toBe(false);
  });

  test('when its pid is gone', () => {
    const { pid } = spawnSync('/bin/true');
    expect(ownerIsDead({ ...here, pid })).toBe(true);
  });

  test('when its pid is another process by now', () => {
    expect(ownerIsDead({ ...here, startTicks: '1' })).toBe(true);
  });

  test('when it lived before this boot', () => {
    expect(ownerIsDead({ ...here, bootId: '00000000-0000-0000-0000-000000000000' })).toBe(true);
  });

  test('not for a boot id that one of the two could not read', () => {
    expect(ownerIsDead(here, { ...here, bootId: '' })).toBe(false);
    expect(ownerIsDead({ ...here, bootId: '' })).toBe(false);
    const { pid } = spawnSync('/bin/true');
    expect(ownerIsDead({ ...here, pid }, { ...here, bootId: '' })).toBe(true);
  });

  test('not when its start is unknown: its pid alone tells nothing', () => {
    const { pid } = spawnSync('/bin/true');
    expect(ownerIsDead({ ...here, startTicks: '0' })).toBe(false);
    expect(ownerIsDead({ ...here, pid, startTicks: '0' })).toBe(false);
  });

  test('never by a look from another pid namespace: its pid means nothing here', () => {
    const { pid } = spawnSync('/bin/true');
    expect(ownerIsDead({ ...here, pid, pidNamespace: '1' })).toBe(false);
  });
});
