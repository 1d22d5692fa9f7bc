import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEpisodeScope, removeEpisodeScope, spawnInScope, TelemetryCollector } from 'episcope';
import {
  CGROUP_ROOT,
  keyed,
  makeCgroup,
  makeNested,
  removeCgroup,
  SLICE,
  scopes,
  text,
} from './cgroup.mjs';
import { cgroupOf, Echo } from './echo.mjs';
import * as dist from './scope-dist.mjs';
import { PATIENCE, until } from './until.mjs';
import { Program, program } from './workload.mjs';

const WAYS = [
  ['an xattr', dist.directories()],
  ['a marker directory', dist.plainDirectories],
];
const LIMITS = { memoryBytes: 64 * 2 ** 20, pidsMax: 100 };
const DIRECT = { strategy: 'direct' };

const dataDevice = () => {
  const { dev } = statSync('/data');
  return `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
};

const trimmed = (scope, file) => text(scope.cgroupPath, file).trim();

function nothingIsLeft() {
  assert.deepEqual(scopes(), []);
  assert.equal(existsSync(SLICE), false);
}

describe('a scope by direct writes', () => {
  test('has the limits in the kernel’s files, and the process', PATIENCE, async (t) => {
    const echo = new Echo(t);
    const device = dataDevice();
    const limits = {
      memoryBytes: 64 * 2 ** 20 + 5,
      memoryHigh: 48 * 2 ** 20,
      memoryOomGroup: true,
      cpuQuota: { quotaUsec: 50_000 },
      pidsMax: 77,
      ioMax: [{ device, readBytesPerSec: 1_048_576, writeOpsPerSec: 120 }],
    };
    const scope = await createEpisodeScope('limits', echo.pid, limits);
    assert.equal(scope.strategy, 'direct-write');
    assert.equal(scope.cgroupPath, `${SLICE}/episode-limits.scope`);
    assert.equal(trimmed(scope, 'memory.max'), String(64 * 2 ** 20));
    assert.equal(trimmed(scope, 'memory.high'), String(48 * 2 ** 20));
    assert.equal(trimmed(scope, 'memory.oom.group'), '1');
    assert.equal(trimmed(scope, 'cpu.max'), '50000 100000');
    assert.equal(trimmed(scope, 'pids.max'), '77');
    assert.equal(trimmed(scope, 'io.max'), `${device} rbps=1048576 wbps=max riops=max wiops=120`);
    assert.equal(trimmed(scope, 'cgroup.procs'), String(echo.pid));
    assert.equal(trimmed(scope, 'cgroup.freeze'), '0');
    assert.equal(trimmed(scope, 'cgroup.subtree_control'), '');
    await echo.answers();

    await assert.rejects(scope.remove(), { code: 'ERR_SCOPE_BUSY' });
    await assert.rejects(removeEpisodeScope('limits'), { code: 'ERR_SCOPE_BUSY' });
    await echo.answers();
    await scope.remove({ kill: true });
    assert.deepEqual(await echo.exited, { code: null, signal: 'SIGKILL' });
    await scope.remove();
    await assert.rejects(removeEpisodeScope('limits'), { code: 'ERR_SCOPE_NOT_FOUND' });
    nothingIsLeft();
  });

  test('freezes, thaws, kills', PATIENCE, async (t) => {
    const echo = new Echo(t);
    const scope = await createEpisodeScope('frozen', echo.pid);
    await scope.freeze();
    assert.equal(keyed(scope.cgroupPath, 'cgroup.events').frozen, 1);
    await scope.thaw();
    await echo.answers();
    await scope.freeze();
    await scope.kill();
    assert.deepEqual(await echo.exited, { code: null, signal: 'SIGKILL' });
    assert.equal(keyed(scope.cgroupPath, 'cgroup.events').populated, 0);
    await scope.remove();
    await assert.rejects(scope.freeze(), { code: 'ERR_SCOPE_NOT_FOUND' });
    nothingIsLeft();
  });

  test(
    'holds its process frozen from before the move until it was looked at',
    PATIENCE,
    async (t) => {
      const echo = new Echo(t);
      const seen = {};
      const onStep = (step) => {
        const path = `${SLICE}/episode-steps.scope`;
        if (existsSync(path))
          seen[step] = { ...keyed(path, 'cgroup.events'), max: text(path, 'pids.max').trim() };
      };
      const scope = await dist.createScope('steps', CGROUP_ROOT, {
        pid: echo.pid,
        limits: dist.checkLimits(LIMITS),
        onStep,
      });
      assert.deepEqual(seen.freeze, { populated: 0, frozen: 0, max: '100' });
      assert.equal(seen.move.populated, 0);
      assert.equal(seen['check-alive'].populated, 1);
      assert.equal(seen.thaw.frozen, 1);
      await echo.answers();
      await dist.removeScope(scope, { kill: true });
      nothingIsLeft();
    },
  );

  for (const [mark, access] of WAYS) {
    test(
      `fails at any step and leaves neither a cgroup nor a frozen process (${mark})`,
      PATIENCE,
      async (t) => {
        const origin = makeCgroup(t);
        const echo = new Echo(t);
        writeFileSync(`${origin}/cgroup.procs`, String(echo.pid));
        const before = echo.cgroup;
        for (const failing of [...dist.CREATE_STEPS, 'after all']) {
          const abort = new AbortController();
          const taken = [];
          const onStep = (step) => {
            taken.push(step);
            if (step === failing) throw Object.assign(new Error('injected'), { code: 'EINJECTED' });
            if (step === 'thaw' && failing === 'after all') abort.abort(new Error('injected'));
          };
          await assert.rejects(
            dist.createScope('fails', CGROUP_ROOT, {
              pid: echo.pid,
              limits: dist.checkLimits(LIMITS),
              directories: access,
              signal: abort.signal,
              onStep,
            }),
            { message: 'injected' },
          );
          assert.equal(taken.at(-1), failing === 'after all' ? 'thaw' : failing);
          assert.equal(echo.cgroup, before, failing);
          nothingIsLeft();
          await echo.answers();
        }
      },
    );
  }

  test(
    'has the controllers of its limits in a root deep down, which no cgroup on the way had passed on',
    PATIENCE,
    async (t) => {
      const { cgroup } = makeNested(t);
      mkdirSync(`${cgroup}/deep/deeper`, { recursive: true });
      const echo = new Echo(t);
      const root = `${cgroup}/deep/deeper`;
      const scope = await createEpisodeScope('deep', echo.pid, LIMITS, { root });
      assert.equal(scope.cgroupPath, `${root}/episcope.slice/episode-deep.scope`);
      assert.equal(trimmed(scope, 'pids.max'), '100');
      assert.equal(trimmed(scope, 'memory.max'), String(64 * 2 ** 20));
      assert.equal(trimmed(scope, 'cgroup.subtree_control'), '');
      await scope.remove({ kill: true });
      assert.equal(existsSync(`${root}/episcope.slice`), false);
    },
  );

  test('of a process that dies on the way is ERR_PROC_GONE, and gone', PATIENCE, async (t) => {
    const dead = new Program(t, '/bin/true', []);
    await dead.exited;
    await assert.rejects(createEpisodeScope('dead', dead.pid), { code: 'ERR_PROC_GONE' });
    for (const step of ['move', 'check-alive']) {
      const echo = new Echo(t);
      const onStep = (name) => {
        if (name !== step) return;
        echo.child.kill('SIGKILL');
        while (!/\) [ZX] /.test(readFileSync(`/proc/${echo.pid}/stat`, 'latin1')));
      };
      // Node reaps it only when the event loop turns: until then it is a zombie, which can be moved without an error.
      await assert.rejects(
        dist.createScope('dies', CGROUP_ROOT, { pid: echo.pid, onStep }),
        { name: 'ProcError', code: 'ERR_PROC_GONE' },
        step,
      );
      nothingIsLeft();
    }
  });

  test('with an invalid limit is undone, and says which file refused it', PATIENCE, async (t) => {
    const echo = new Echo(t);
    const limits = { pidsMax: 50, ioMax: [{ device: '999:999', readOpsPerSec: 5 }] };
    await assert.rejects(createEpisodeScope('refused', echo.pid, limits), (error) => {
      assert.equal(error.code, 'ERR_CGROUP_WRITE');
      assert.equal(error.errno, 'ENODEV');
      assert.match(error.file, /io\.max$/);
      return true;
    });
    await echo.answers();
    nothingIsLeft();
  });

  test('is removed with the cgroups inside, deepest first', PATIENCE, async (t) => {
    const echo = new Echo(t);
    const scope = await createEpisodeScope('nested', echo.pid);
    mkdirSync(`${scope.cgroupPath}/a/b/c`, { recursive: true });
    mkdirSync(`${scope.cgroupPath}/d`);
    writeFileSync(`${scope.cgroupPath}/a/b/c/cgroup.procs`, String(echo.pid));
    await assert.rejects(removeEpisodeScope('nested'), { code: 'ERR_SCOPE_BUSY' });
    await removeEpisodeScope('nested', { kill: true });
    nothingIsLeft();
  });

  test('that exists is ERR_SCOPE_EXISTS, and the other one lives on', PATIENCE, async (t) => {
    const [one, two] = [new Echo(t), new Echo(t)];
    const scope = await createEpisodeScope('twice', one.pid);
    await assert.rejects(createEpisodeScope('twice', two.pid), { code: 'ERR_SCOPE_EXISTS' });
    assert.equal(cgroupOf(two.pid), '/');
    await one.answers();
    await scope.remove({ kill: true });
    nothingIsLeft();
  });
});

describe('what leads elsewhere', () => {
  test('is refused: a file system mounted over the slice, or over a scope', PATIENCE, async (t) => {
    const echo = new Echo(t);
    for (const [inside, code] of [
      ['', 'ERR_NOT_CGROUP2'],
      ['/episode-mounted.scope', 'ERR_NOT_CGROUP2'],
    ]) {
      mkdirSync(`${SLICE}${inside}`, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', 'foreign', `${SLICE}${inside}`]);
      try {
        if (inside === '') await assert.rejects(createEpisodeScope('mounted', echo.pid), { code });
        await assert.rejects(removeEpisodeScope('mounted', { kill: true, root: CGROUP_ROOT }), {
          code,
        });
      } finally {
        execFileSync('umount', [`${SLICE}${inside}`]);
        if (inside !== '') rmdirSync(`${SLICE}${inside}`);
        rmdirSync(SLICE);
      }
    }
    await echo.answers();
  });

  test('is refused: a file mounted over a control file', PATIENCE, async (t) => {
    const path = makeCgroup(t);
    writeFileSync('/tmp/victim', 'untouched');
    execFileSync('mount', ['--bind', '/tmp/victim', `${path}/cgroup.freeze`]);
    try {
      for (const [, access] of WAYS) {
        const cgroup = dist.PinnedCgroup.open(path, access);
        assert.equal(await cgroup.write('cgroup.freeze', '1'), 'EXDEV');
        assert.equal(cgroup.openForWriting('cgroup.freeze'), -18);
        cgroup.close();
      }
    } finally {
      execFileSync('umount', [`${path}/cgroup.freeze`]);
    }
    assert.equal(readFileSync('/tmp/victim', 'utf8'), 'untouched');
  });
});

const script = fileURLToPath(new URL('./scope-script.mjs', import.meta.url));

/** Runs scope-script.mjs as `nobody`, in `cgroup`, and returns what it printed. */
async function asNobody(cgroup, nodeOptions = []) {
  const procsFd = openSync(`${cgroup}/cgroup.procs`, 'w');
  const { child } = dist.launch({
    command: process.execPath,
    args: [...nodeOptions, script],
    procsFd,
    spawn: { uid: 65534, gid: 65534, env: { HOME: '/tmp' }, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  closeSync(procsFd);
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  return JSON.parse(output);
}

describe('without privileges', () => {
  for (const [engine, nodeOptions] of [
    ['native', []],
    ['js', ['--no-addons']],
  ]) {
    test(`a delegated subtree is enough (${engine})`, PATIENCE, async (t) => {
      const subtree = makeCgroup(t);
      mkdirSync(`${subtree}/daemon`);
      for (const file of [
        '',
        '/cgroup.procs',
        '/cgroup.subtree_control',
        '/daemon',
        '/daemon/cgroup.procs',
      ]) {
        chownSync(`${subtree}${file}`, 65534, 65534);
      }
      const said = await asNobody(`${subtree}/daemon`, nodeOptions);
      assert.equal(said.error, undefined, said.error?.message);
      assert.equal(said.strategy, 'direct-write');
      assert.equal(said.cgroupPath, `${subtree}/episcope.slice/episode-nobody.scope`);
      assert.equal(said.inside, `0::${said.cgroupPath.slice(CGROUP_ROOT.length)}`);
      assert.equal(said.pidsMax, '33');
      assert.equal(existsSync(`${subtree}/episcope.slice`), false);
    });
  }

  test('elsewhere it says which right is missing', PATIENCE, async (t) => {
    const cgroup = makeCgroup(t);
    chownSync(`${cgroup}/cgroup.procs`, 65534, 65534);
    const { error } = await asNobody(cgroup);
    assert.equal(error.code, 'ERR_SCOPE_CREATE');
    assert.equal(error.errno, 'EACCES');
    assert.match(error.message, /not writable \(EACCES\)/);
    assert.match(error.message, /not by systemd: this system was not booted with systemd/);
    await removeCgroup(cgroup);
  });
});

describe('spawnInScope', () => {
  for (const [name, launcher] of [
    ['the helper', undefined],
    ['/bin/sh', dist.SHELL_LAUNCHER],
  ]) {
    test(`runs the command inside from its first instruction on (${name})`, PATIENCE, async () => {
      const seen = [];
      const inside =
        'cat /proc/self/cgroup; cat /sys/fs/cgroup/episcope.slice/episode-inside.scope/pids.max; echo $$';
      const { child, scope } = await dist.spawnScoped(
        '/bin/sh',
        ['-c', inside],
        {
          id: 'inside',
          limits: { pidsMax: 55 },
          stdio: ['ignore', 'pipe', 'inherit'],
          beforeExec: (made, held) => {
            seen.push(readFileSync(`/proc/${held.pid}/cmdline`, 'latin1').includes(inside));
            seen.push(text(made.cgroupPath, 'cgroup.procs').trim() === String(held.pid));
          },
        },
        { launcher },
      );
      let output = '';
      for await (const chunk of child.stdout) output += chunk;
      assert.deepEqual(output.trim().split('\n'), [
        '0::/episcope.slice/episode-inside.scope',
        '55',
        String(child.pid),
      ]);
      assert.deepEqual(seen, [true, true]);
      await scope.remove();
      nothingIsLeft();
    });
  }

  test('as another user, whose right to move is ours', PATIENCE, async () => {
    const { child, scope } = await spawnInScope(
      '/bin/cat',
      ['/proc/self/cgroup', '/proc/self/loginuid', '/proc/self/status'],
      {
        id: 'nobody',
        uid: 65534,
        gid: 65534,
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    let output = '';
    for await (const chunk of child.stdout) output += chunk;
    assert.match(output, /^0::\/episcope.slice\/episode-nobody.scope$/m);
    assert.match(output, /^Uid:\t65534\t65534/m);
    await scope.remove();
    nothingIsLeft();
  });

  test('without the addon too', PATIENCE, async (t) => {
    const run = new Program(t, process.execPath, ['--no-addons', script]);
    const said = JSON.parse(await run.line());
    assert.equal(said.error, undefined, said.error?.message);
    assert.equal(said.inside, '0::/episcope.slice/episode-nobody.scope');
    assert.equal(said.pidsMax, '33');
    nothingIsLeft();
  });
});

test('200 scopes at once are created, measured and removed', PATIENCE, async (t) => {
  const ids = Array.from({ length: 200 }, (_, index) => `many-${index}`);
  const collector = new TelemetryCollector();
  const handles = [];
  const started = await Promise.all(
    ids.map((id) =>
      spawnInScope(program('burner'), ['--ms', '5'], {
        id,
        ...DIRECT,
        limits: LIMITS,
        timeoutMs: 120_000,
        stdio: 'ignore',
        beforeExec: ({ cgroupPath }, child) => {
          handles.push(collector.start(id, child.pid, { cgroupPath, tier: 'cgroup' }));
        },
      }),
    ),
  );
  assert.equal(scopes().length, 200);
  await until('200 terminal frames', () => handles.every((handle) => handle.snapshot().stopped));
  for (const [index, { scope }] of started.entries()) {
    const { cpuNs, o11yFlags } = handles[index].latest();
    assert.ok(o11yFlags.terminal);
    const handle = handles.find(({ episodeId }) => episodeId === scope.id);
    assert.equal(BigInt(handle.latest().cpuNs), await scope.cpuUsageNs());
    assert.ok(cpuNs >= 5e6, `${cpuNs} ns`);
  }
  await Promise.all(started.map(({ scope }) => scope.remove()));
  nothingIsLeft();
  const { nr_dying_descendants } = keyed(CGROUP_ROOT, 'cgroup.stat');
  t.diagnostic(`nr_dying_descendants ${nr_dying_descendants}`);
});
