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
    `${formatOwner(here)} later=1`,
  ])('%j is no mark', (text) => {
    expect(parseOwner(text)).toBeNull();
  });

  test('as a directory name it carries the episode too, dashes and all', () => {
    const { owner, id } = parseMarkerName(markerName(here, 'my-episode_1-2')) ?? {};
    expect(id).toBe('my-episode_1-2');
    expect(owner).toEqual({ ...here, bootId: here.bootId.slice(0, 8) });
  });

  test('names what older releases wrote: a time namespace that is not known', () => {
    const old = `pid=7 starttime=8 boot_id=${here.bootId} pid_ns=9`;
    const owner = { pid: 7, startTicks: '8', pidNamespace: '9', timeNamespace: null };
    expect(parseOwner(old)).toEqual({ ...owner, bootId: here.bootId });
    expect(parseMarkerName('owner-7-8-abcdef01-9-my-id')).toEqual({
      owner: { ...owner, bootId: 'abcdef01' },
      id: 'my-id',
    });
  });

  test.each([
    { ...here, timeNamespace: null },
    { ...here, pidNamespace: null },
  ])('that lacks a namespace is written and read back', (owner) => {
    expect(parseOwner(formatOwner(owner))).toEqual(owner);
    expect(parseMarkerName(markerName({ ...owner, bootId: '' }, 'x'))).toEqual({
      owner: { ...owner, bootId: '' },
      id: 'x',
    });
  });

  test('of a later release is a marker of its episode, by an owner who cannot be judged', () => {
    expect(parseMarkerName(markerName(here, 'x').replace(/\.x$/, '.77.x'))).toEqual({
      owner: null,
      id: 'x',
    });
  });

  test.each([
    'owner-1-2-abc',
    'owner.',
    'owner.1.2.a.3.4.a/b',
    'episode-x.scope',
    'owner-1-2-abcdefab-4-a/b',
    'made-by-episcope',
  ])('%s is no marker', (name) => {
    expect(parseMarkerName(name)).toBeNull();
  });
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

  test.each(['', '00000000-0000-0000-0000-000000000000'])(
    'whatever boot id a container was shown (%j): no cgroup outlives its boot',
    (bootId) => {
      const { pid } = spawnSync('/bin/true');
      expect(ownerIsDead(here, { ...here, bootId })).toBe(false);
      expect(ownerIsDead({ ...here, bootId })).toBe(false);
      expect(ownerIsDead({ ...here, pid }, { ...here, bootId })).toBe(true);
      expect(ownerIsDead({ ...here, pid, bootId })).toBe(true);
    },
  );

  test('not when its start is unknown: its pid alone tells nothing', () => {
    const { pid } = spawnSync('/bin/true');
    expect(ownerIsDead({ ...here, startTicks: '0' })).toBe(false);
    expect(ownerIsDead({ ...here, pid, startTicks: '0' })).toBe(false);
  });

  test('never by a look from another pid namespace: its pid means nothing here', () => {
    const { pid } = spawnSync('/bin/true');
    expect(ownerIsDead({ ...here, pid, pidNamespace: '1' })).toBe(false);
  });

  test.each([
    ['unknown here and there', null, null],
    ['unknown to the mark', null, here.pidNamespace],
    ['unknown here', here.pidNamespace, null],
  ])('never where the pid namespace is %s', (_, theirs, ours) => {
    const { pid } = spawnSync('/bin/true');
    const owner = { ...here, pid, pidNamespace: theirs };
    expect(ownerIsDead(owner, { ...here, pidNamespace: ours })).toBe(false);
  });

  test.each([
    ['another', '1', here.timeNamespace],
    ['unknown to the mark', null, here.timeNamespace],
    ['unknown here', here.timeNamespace, null],
    ['unknown here and there', null, null],
  ])('by another starttime only in one time namespace: not where it is %s', (_, theirs, ours) => {
    const owner = { ...here, startTicks: '1', timeNamespace: theirs };
    expect(ownerIsDead(owner, { ...here, timeNamespace: ours })).toBe(false);
    const { pid } = spawnSync('/bin/true');
    expect(ownerIsDead({ ...owner, pid }, { ...here, timeNamespace: ours })).toBe(true);
  });
});
