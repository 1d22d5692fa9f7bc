import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DescriptorBudget,
  descriptorBudget,
  KeptFile,
  ReadStatus,
  readBuffer,
} from '../../src/kernel/kept-file.js';
import { Errno } from '../../src/kernel/syscall.js';

const directory = mkdtempSync(join(tmpdir(), 'episcope-kept-'));
let dirfd: number;
beforeAll(() => {
  dirfd = openSync(directory, 'r');
});
afterAll(() => rmSync(directory, { recursive: true }));

const at = (name: string) => join(directory, name);
const text = () => Buffer.from(readBuffer.bytes.subarray(0, readBuffer.size)).toString();

describe('a kept file', () => {
  it('is read anew at each read, by one descriptor', () => {
    const file = new KeptFile('one');
    const kept = descriptorBudget.kept;
    writeFileSync(at('one'), 'first');
    expect(file.read(dirfd)).toBe(ReadStatus.OK);
    expect(text()).toBe('first');
    writeFileSync(at('one'), 'second text');
    expect(file.read(dirfd)).toBe(ReadStatus.OK);
    expect(text()).toBe('second text');
    expect(descriptorBudget.kept).toBe(kept + 1);
    file.close();
    file.close();
    expect(descriptorBudget.kept).toBe(kept);
  });

  it('that is absent is asked for again at each read', () => {
    const file = new KeptFile('later');
    for (let i = 0; i < 3; i++) {
      expect(file.read(dirfd)).toBe(ReadStatus.ABSENT);
      expect(readBuffer).toMatchObject({ size: 0, errno: Errno.ENOENT });
    }
    writeFileSync(at('later'), 'here');
    expect(file.read(dirfd)).toBe(ReadStatus.OK);
    expect(text()).toBe('here');
    file.close();
  });

  it('that is not the kernel’s is opened for each read: deleted it is absent', () => {
    const kept = descriptorBudget.kept;
    const file = new KeptFile('recorded', false);
    writeFileSync(at('recorded'), 'first');
    expect(file.read(dirfd)).toBe(ReadStatus.OK);
    expect(file.isKept).toBe(false);
    expect(descriptorBudget.kept).toBe(kept);
    rmSync(at('recorded'));
    expect(file.read(dirfd)).toBe(ReadStatus.ABSENT);
    writeFileSync(at('recorded'), 'again');
    expect(file.read(dirfd)).toBe(ReadStatus.OK);
    expect(text()).toBe('again');
  });

  it.each<[string, number, number]>([
    ['0 bytes', 0, ReadStatus.OK],
    ['INV-TL05: 64 KiB', 65_536, ReadStatus.OK],
    ['INV-TL05: one byte more', 65_537, ReadStatus.TOO_LARGE],
    ['much more', 1_000_000, ReadStatus.TOO_LARGE],
  ])('of %s', (_, size, status) => {
    writeFileSync(at('sized'), Buffer.alloc(size, 'x'));
    const file = new KeptFile('sized');
    expect(file.read(dirfd)).toBe(status);
    expect(readBuffer.size).toBe(Math.min(size, 65_536));
    file.close();
  });

  it.each<[string, () => void, number]>([
    ['a symlink is not followed', () => symlinkSync('one', at('x')), Errno.ELOOP],
    ['a directory has no text', () => mkdirSync(at('x')), -21],
    ['a FIFO does not hang the reader', () => execFileSync('mkfifo', [at('x')]), -29],
  ])('%s', (_, make, errno) => {
    make();
    const file = new KeptFile('x');
    expect(file.read(dirfd)).toBe(ReadStatus.ERROR);
    expect(readBuffer.errno).toBe(errno);
    file.close();
    rmSync(at('x'), { recursive: true });
  });

  it('of a process that ended is dead, and stays dead when its name is opened again', async () => {
    const { Child } = await import('../engine/child.js');
    const { child, line } = await Child.shell('echo $$; exec cat');
    const processfd = openSync(`/proc/${line}`, 'r');
    const file = new KeptFile('stat');
    expect(file.read(processfd)).toBe(ReadStatus.OK);
    await child.end();
    expect(file.read(processfd)).toBe(ReadStatus.DEAD);
    expect(readBuffer.errno).toBe(Errno.ESRCH);
    expect(file.isKept).toBe(false);
    expect([ReadStatus.ABSENT, ReadStatus.DEAD]).toContain(file.read(processfd));
  });
});

describe('the descriptor budget', () => {
  it('is half of the soft limit, asked once', () => {
    let asked = 0;
    const budget = new DescriptorBudget(() => {
      asked++;
      return 5;
    });
    expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false]);
    budget.giveBack();
    expect(budget.take()).toBe(true);
    expect(asked).toBe(1);
  });

  it('counts what is needed whatever it says', () => {
    const budget = new DescriptorBudget(() => 4);
    budget.takeAlways();
    budget.takeAlways();
    budget.takeAlways();
    expect(budget.kept).toBe(3);
    expect(budget.take()).toBe(false);
    budget.giveBack();
    budget.giveBack();
    expect(budget.take()).toBe(true);
  });

  it('beyond it files are opened for each read: sixty files, six cgroups and three processes within 80 descriptors', () => {
    const script = new URL('descriptor-budget.mjs', import.meta.url).pathname;
    const stdout = execFileSync(
      'sh',
      ['-c', 'ulimit -n 80; exec "$0" "$1"', process.execPath, script],
      {
        env: { ...process.env, NODE_OPTIONS: '' },
      },
    );
    expect(JSON.parse(stdout.toString())).toEqual({
      kept: 40,
      texts: 120,
      parts: [15, 15, 15, 15, 15, 15],
      again: [15, 15, 15, 15, 15, 15],
      directories: 6,
      live: 3,
      afterClose: 0,
    });
  });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('reading as another user is not tested here: only root can become one');

describe('as another user', () => {
  it.skipIf(!isRoot)("a process's io is ERR_PROC_READ with EACCES, and the rest is read", () => {
    const script = new URL('foreign-process.mjs', import.meta.url).pathname;
    const stdout = execFileSync(process.execPath, [script, String(process.pid)], {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(JSON.parse(stdout.toString())).toEqual({
      parts: 11,
      failure: {
        code: 'ERR_PROC_READ',
        errno: 'EACCES',
        file: 'io',
        pid: process.pid,
        offset: null,
        reason: null,
      },
    });
  });
});
