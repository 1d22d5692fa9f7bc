import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CgroupReader, ProcReader, TelemetryCollector, TelemetryError } from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';

const code = (expected: string) => expect.objectContaining({ code: expected });

describe.each(ENGINES)('bad input, engine %s', (engine) => {
  const collector = new TelemetryCollector(undefined, { engine });
  const fixture = new FixtureCgroup();
  const scratch = mkdtempSync(join(tmpdir(), 'episcope-bad-'));
  writeFileSync(join(scratch, 'file'), '');
  mkdirSync(join(scratch, 'plain'));
  symlinkSync(fixture.root, join(scratch, 'link'));
  afterAll(() => {
    fixture.remove();
    rmSync(scratch, { recursive: true });
  });

  it.each(['', 'a/b', '..', 'a'.repeat(129), 'ä', 'a\0b', 'a b', null, 7])(
    'the episode id %j is refused before anything is opened',
    (id) => {
      // The pid is bad too: the id is looked at first.
      expect(() => collector.start(id as string, -1)).toThrow(code('ERR_INVALID_EPISODE_ID'));
      expect(() => CgroupReader.forEpisode(id as string)).toThrow(code('ERR_INVALID_EPISODE_ID'));
    },
  );

  it.each([0, -1, 2 ** 31, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null])(
    'the pid %j is refused',
    (pid) => {
      expect(() => collector.start('pid', pid as number)).toThrow(code('ERR_INVALID_PID'));
      expect(() => new ProcReader(pid as number, { engine })).toThrow(code('ERR_INVALID_PID'));
    },
  );

  it('the id of a thread is no pid', async () => {
    const child = spawn(process.execPath, [
      '-e',
      "console.log(require('fs').readdirSync('/proc/self/task').find((t) => t != process.pid)); process.stdin.resume()",
    ]);
    const [line] = await once(child.stdout, 'data');
    const tid = Number(String(line));
    expect(tid).toBeGreaterThan(0);
    expect(() => new ProcReader(tid, { engine })).toThrow(code('ERR_INVALID_PID'));
    expect(() => collector.start('thread', tid)).toThrow(code('ERR_INVALID_PID'));
    child.stdin.end();
    await once(child, 'exit');
  });

  it('a process that is gone is ERR_PROC_GONE', async () => {
    const child = spawn(process.execPath, ['-e', '0']);
    await once(child, 'exit');
    expect(() => collector.start('gone', child.pid!)).toThrow(code('ERR_PROC_GONE'));
    expect(() => new ProcReader(child.pid!, { engine })).toThrow(code('ERR_PROC_GONE'));
  });

  it.each([
    ['a file', () => join(scratch, 'file'), 'ERR_CGROUP_PATH'],
    ['a symlink', () => join(scratch, 'link'), 'ERR_CGROUP_PATH'],
    ['below a symlink', () => join(scratch, 'link/episcope.slice'), 'ERR_CGROUP_PATH'],
    ['a foreign file system', () => join(scratch, 'plain'), 'ERR_NOT_CGROUP2'],
    ['..', () => `${scratch}/plain/../plain`, 'ERR_CGROUP_PATH'],
    ['relative', () => 'sys/fs/cgroup', 'ERR_CGROUP_PATH'],
    ['a NUL', () => `${scratch}/\0`, 'ERR_CGROUP_PATH'],
    ['nowhere', () => join(scratch, 'absent'), 'ERR_CGROUP_NOT_FOUND'],
    ['INV-TL04: longer than 4096 bytes', () => `/${'a/'.repeat(2048)}`, 'ERR_CGROUP_PATH'],
  ])('a root or path that is %s is refused at the open', (_, path, expected) => {
    for (const open of [
      () => new TelemetryCollector(undefined, { engine, cgroupRoot: path() }),
      () => CgroupReader.fromPath(path(), { engine }),
      () => CgroupReader.forEpisode('x', { engine, root: path() }),
      () => collector.start('path', process.pid, { cgroupPath: path() }),
    ]) {
      try {
        open();
        expect.unreachable('it must throw');
      } catch (error) {
        expect(error).toBeInstanceOf(TelemetryError);
        // The scope below a good directory is looked for first.
        const codes =
          expected === 'ERR_NOT_CGROUP2' ? [expected, 'ERR_CGROUP_NOT_FOUND'] : [expected];
        expect(codes).toContain((error as TelemetryError).code);
      }
    }
  });

  it.each([
    ['tier', { tier: 'cgroup2' }],
    ['baseline', { baseline: 'then' }],
    ['onExhausted', { onExhausted: 'explode' }],
    ['manual', { manual: 'yes' }],
    ['option', { reaper: true }],
    ['option', { source: 'proc' }],
    ['budget', { budget: { cpuMs: 1 } }],
    ['signal', { signal: {} }],
    ['options', null],
  ])('an unknown %s is ERR_INVALID_CONFIG', (_, options) => {
    expect(() => collector.start('option', process.pid, options as never)).toThrow(
      code('ERR_INVALID_CONFIG'),
    );
  });

  it.each([5, {}, false])('a path that is %j is ERR_CGROUP_PATH', (path) => {
    for (const open of [
      () => new TelemetryCollector(undefined, { engine, cgroupRoot: path as never }),
      () => CgroupReader.fromPath(path as never, { engine }),
      () => CgroupReader.forEpisode('x', { engine, root: path as never }),
      () => collector.start('path', process.pid, { cgroupPath: path as never }),
    ]) {
      expect(open).toThrow(code('ERR_CGROUP_PATH'));
    }
  });

  it('what plain JavaScript may get wrong is ERR_INVALID_CONFIG', async () => {
    const handle = collector.start('types', process.pid, { manual: true });
    for (const wrong of [
      () => new TelemetryCollector(undefined, null as never),
      () => new TelemetryCollector(undefined, { engine, requireCgroupfs: 0 as never }),
      () => new ProcReader(process.pid, null as never),
      () => new ProcReader(process.pid, { engine, tree: 'x' as never }),
      () => new ProcReader(process.pid, { engine, procRoot: 'proc' }),
      () => handle.nextFrame({} as never),
      () => handle.computeDelta(null as never),
      () => collector.collect(handle, {} as never),
      () => collector.collectWithBudget(handle, {} as never),
      () => collector.collect({} as never),
    ]) {
      expect(wrong).toThrow(code('ERR_INVALID_CONFIG'));
    }
    expect(handle.seq).toBe(0);
    await handle.stop();
  });

  it('an unknown engine and a policy that is none are ERR_INVALID_CONFIG', () => {
    expect(() => new TelemetryCollector(undefined, { engine: 'wasm' as never })).toThrow(
      code('ERR_INVALID_CONFIG'),
    );
    expect(() => new TelemetryCollector({ samplePeriodMs: 5 } as never, { engine })).toThrow(
      code('ERR_INVALID_CONFIG'),
    );
  });

  it('a forced cgroup tier without a cgroup is ERR_CGROUP_NOT_FOUND', () => {
    const fixtures = new TelemetryCollector(undefined, {
      engine,
      cgroupRoot: fixture.root,
      requireCgroupfs: false,
    });
    expect(() => fixtures.start('absent', process.pid, { tier: 'cgroup' })).toThrow(
      code('ERR_CGROUP_NOT_FOUND'),
    );
  });

  it('a reader never throws on what the kernel says: the part carries the error and its file', () => {
    const broken = new FixtureCgroup();
    broken.write('cpu.stat', 'usage_usec 5\nuser_usec x\nsystem_usec 2\n');
    broken.delete('memory.current');
    broken.write('io.stat', 'x'.repeat(64 * 1024 + 1));
    using reader = CgroupReader.forEpisode('fixture', {
      engine,
      root: broken.root,
      requireCgroupfs: false,
    });
    const { cpu, memory, io } = reader.readAll();
    expect([cpu, memory, io].map((part) => part.isAvailable)).toEqual([false, false, false]);
    expect(cpu.usageNs).toBeNull();
    expect(cpu.error).toMatchObject({
      code: 'ERR_CGROUP_PARSE',
      file: `${broken.path}/cpu.stat`,
      message: `${broken.path}/cpu.stat: malformed number at byte 23`,
    });
    expect(memory.error).toMatchObject({ code: 'ERR_CONTROLLER_NOT_ENABLED' });
    expect(io.error).toMatchObject({ code: 'ERR_CGROUP_READ', file: `${broken.path}/io.stat` });
    reader.withFallbackPid(process.pid);
    const fallen = reader.readAll();
    expect(fallen.cpu.source).toBe('proc');
    expect(fallen.memory.rssBytes).toBeGreaterThan(1_000_000);
    expect(fallen.hasDegradedSource).toBe(true);
    reader.close();
    reader.close();
    expect(() => reader.readCpu()).toThrow(code('ERR_STOPPED'));
    expect(() => reader.withFallbackPid(process.pid)).toThrow(code('ERR_STOPPED'));
    broken.remove();
  });

  it('INV-TL05: a file of exactly 64 KiB is read, one byte more is refused', () => {
    const cgroup = new FixtureCgroup();
    const head = 'usage_usec 5\nuser_usec 3\nsystem_usec 2\n';
    const filled = `${head}${'x'.repeat(64 * 1024 - head.length)}`;
    cgroup.write('cpu.stat', filled);
    using reader = CgroupReader.fromPath(cgroup.path, { engine, requireCgroupfs: false });
    expect(reader.readCpu().usageNs).toBe(5000);
    expect(reader.readCpu({ bigint: true }).usageNs).toBe(5000n);
    cgroup.write('cpu.stat', `${filled}x`);
    expect(reader.readCpu().error).toMatchObject({ code: 'ERR_CGROUP_READ' });
    cgroup.remove();
  });
});
