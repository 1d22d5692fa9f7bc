/** Scopes against a real manager: that of the system, and that of a user without rights. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import {
  createEpisodeScope,
  episodeCgroupPath,
  removeEpisodeScope,
  Scope,
  spawnInScope,
  TelemetryCollector,
} from 'episcope';
import { CGROUP_ROOT, keyed, SLICE, scopes, text } from '../guest/cgroup.mjs';
import { cgroupOf, Echo } from '../guest/echo.mjs';
import { episcope } from '../guest/episcope.mjs';
import * as dist from '../guest/scope-dist.mjs';
import { PATIENCE, until } from '../guest/until.mjs';
import { burnerCpu, Program, program } from '../guest/workload.mjs';
import { asTester, MANAGER } from './user.mjs';

const LIMITS = { memoryBytes: 64 * 2 ** 20, pidsMax: 100 };
const STRATEGIES = [
  ['systemd', 'systemd-transient'],
  ['direct', 'direct-write'],
];

const loadState = (id) =>
  execFileSync('systemctl', ['show', '--value', '-p', 'LoadState', `episode-${id}.scope`], {
    encoding: 'utf8',
  }).trim();

async function nothingIsLeft(id) {
  await until(`${id} unloaded`, () => loadState(id) === 'not-found');
  assert.deepEqual(scopes(), []);
}

const dataDevice = () => {
  const { dev } = statSync('/data');
  return `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
};

/** With an environment variable, for as long as `act` takes. */
async function withEnv(name, value, act) {
  const before = process.env[name];
  process.env[name] = value;
  try {
    return await act();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

/** Starts a command in a scope of the id `orphaned`, says its pid, and waits to be killed. */
const ORPHANING = [
  process.execPath,
  [
    '--input-type=module',
    '-e',
    `import { spawnInScope } from 'episcope';
  const { child } = await spawnInScope('/bin/sleep', ['600'], { id: 'orphaned', stdio: 'ignore' });
  console.log(child.pid);`,
  ],
  { cwd: '/episcope' },
];

for (const [strategy, name] of STRATEGIES) {
  describe(`a scope made by ${name}`, () => {
    test('has the limits in the kernel’s files, and the process', PATIENCE, async (t) => {
      const echo = new Echo(t);
      const device = dataDevice();
      const limits = {
        memoryBytes: 64 * 2 ** 20,
        memoryHigh: 48 * 2 ** 20,
        memoryOomGroup: true,
        cpuQuota: { quotaUsec: 50_000, periodUsec: 100_000 },
        pidsMax: 77,
        ioMax: [{ device, readBytesPerSec: 1_048_576, writeOpsPerSec: 120 }],
      };
      const scope = await createEpisodeScope('limits', echo.pid, limits, { strategy });
      assert.equal(scope.strategy, name);
      assert.equal(scope.cgroupPath, `${SLICE}/episode-limits.scope`);
      const kernel = (file) => text(scope.cgroupPath, file).trim();
      assert.equal(kernel('memory.max'), String(64 * 2 ** 20));
      assert.equal(kernel('memory.high'), String(48 * 2 ** 20));
      assert.equal(kernel('memory.oom.group'), '1');
      assert.equal(kernel('cpu.max'), '50000 100000');
      assert.equal(kernel('pids.max'), '77');
      assert.equal(kernel('io.max'), `${device} rbps=1048576 wbps=max riops=max wiops=120`);
      assert.equal(kernel('cgroup.procs'), String(echo.pid));
      for (const controller of ['cpu', 'memory', 'io', 'pids']) {
        assert.ok(scope.controllers.includes(controller), controller);
      }
      await echo.answers();
      await assert.rejects(scope.remove(), { code: 'ERR_SCOPE_BUSY' });
      await scope.freeze();
      assert.equal(keyed(scope.cgroupPath, 'cgroup.events').frozen, 1);
      await scope.thaw();
      await echo.answers();
      await scope.remove({ kill: true });
      assert.deepEqual(await echo.exited, { code: null, signal: 'SIGKILL' });
      assert.equal(existsSync(scope.cgroupPath), false);
      await scope.remove();
      await nothingIsLeft('limits');
    });

    test('is removed by its id alone, killed or not at all', PATIENCE, async (t) => {
      const echo = new Echo(t);
      const scope = await createEpisodeScope('by-id', echo.pid, {}, { strategy });
      await assert.rejects(removeEpisodeScope('by-id'), { code: 'ERR_SCOPE_BUSY' });
      const elsewhere = { slice: 'elsewhere.slice', kill: true };
      await assert.rejects(removeEpisodeScope('by-id', elsewhere), { code: 'ERR_SCOPE_NOT_FOUND' });
      await echo.answers();
      await scope.freeze();
      await removeEpisodeScope('by-id', { kill: true });
      assert.equal(existsSync(scope.cgroupPath), false);
      await scope.remove();
      await assert.rejects(removeEpisodeScope('by-id'), { code: 'ERR_SCOPE_NOT_FOUND' });
      await nothingIsLeft('by-id');
    });

    test('in a slice with dashes is where every reader looks for it', PATIENCE, async (t) => {
      for (const slice of ['episcope-my-jobs.slice', 'memory.slice', '-.slice']) {
        const echo = new Echo(t);
        const scope = await createEpisodeScope('dashes', echo.pid, {}, { strategy, slice });
        assert.equal(scope.cgroupPath, episodeCgroupPath('dashes', undefined, slice));
        const elsewhere = { slice: 'my-jobs.slice', kill: true };
        await assert.rejects(removeEpisodeScope('dashes', elsewhere), {
          code: 'ERR_SCOPE_NOT_FOUND',
        });
        await removeEpisodeScope('dashes', { slice, kill: true });
        assert.equal(existsSync(scope.cgroupPath), false);
        // Lets go of the unit.
        await scope.remove();
        await nothingIsLeft('dashes');
      }
    });

    test(
      'whose name is taken is ERR_SCOPE_EXISTS, and the other one lives on',
      PATIENCE,
      async (t) => {
        const [one, two] = [new Echo(t), new Echo(t)];
        const before = two.cgroup;
        const scope = await createEpisodeScope('taken', one.pid, {}, { strategy });
        await assert.rejects(createEpisodeScope('taken', two.pid, {}, { strategy }), {
          name: 'CgroupError',
          code: 'ERR_SCOPE_EXISTS',
        });
        assert.equal(two.cgroup, before);
        await one.answers();
        await scope.remove({ kill: true });
        await nothingIsLeft('taken');
      },
    );

    test('of a dead process is ERR_PROC_GONE', PATIENCE, async (t) => {
      const dead = new Program(t, '/bin/true', []);
      await dead.exited;
      await assert.rejects(createEpisodeScope('dead', dead.pid, {}, { strategy }), {
        name: 'ProcError',
        code: 'ERR_PROC_GONE',
      });
      await nothingIsLeft('dead');
    });

    test('starts a command inside, and what it used is told after its end', PATIENCE, async () => {
      const { child, scope } = await spawnInScope(program('burner'), ['--ms', '300'], {
        id: 'burns',
        strategy,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      for await (const chunk of child.stdout) output += chunk;
      const { wholeNs, launchNs } = burnerCpu(output);
      if (strategy === 'systemd') {
        await until('systemd to remove the scope', () => !existsSync(scope.cgroupPath));
      }
      const cpuNs = Number(await scope.cpuUsageNs());
      assert.ok(cpuNs >= wholeNs - launchNs - 20e6, `${cpuNs} of ${wholeNs} ns`);
      assert.ok(cpuNs <= wholeNs + 100e6, `${cpuNs} of ${wholeNs} ns`);
      await scope.remove();
      assert.equal(strategy === 'systemd' ? await scope.cpuUsageNs() : null, null);
      await nothingIsLeft('burns');
    });
  });
}

describe('systemd', () => {
  test('is asked first', PATIENCE, async (t) => {
    const echo = new Echo(t);
    const scope = await createEpisodeScope('first', echo.pid);
    assert.equal(scope.strategy, 'systemd-transient');
    await scope.remove({ kill: true });
    await nothingIsLeft('first');
  });

  test(
    'has put the process back, and forgets the unit, after a failure at any step',
    PATIENCE,
    async (t) => {
      const echo = new Echo(t);
      const before = echo.cgroup;
      for (const failing of [...dist.SYSTEMD_STEPS, 'time', 'abort']) {
        const abort = new AbortController();
        const onStep = (step) => {
          if (step === failing) throw new Error('injected');
          if (step === 'mark' && failing === 'abort') abort.abort(new Error('injected'));
        };
        await assert.rejects(
          dist.createSystemdScope('fails', {
            slice: 'episcope.slice',
            pid: echo.pid,
            limits: dist.checkLimits(LIMITS),
            deadline: failing === 'time' ? performance.now() : performance.now() + 30_000,
            signal: abort.signal,
            onStep,
          }),
          failing === 'time'
            ? { code: 'ERR_SCOPE_CREATE', errno: 'ETIMEDOUT' }
            : { message: 'injected' },
          failing,
        );
        await nothingIsLeft('fails');
        await until(`the process back (${failing})`, () => echo.cgroup === before);
        await echo.answers();
      }
    },
  );

  test(
    'that is not waited for any more while it starts the unit undoes it, and harms nobody',
    PATIENCE,
    async (t) => {
      const echo = new Echo(t);
      const before = echo.cgroup;
      for (const delayMs of [0, 1, 3, 10, 30, 60]) {
        const signal = AbortSignal.timeout(delayMs);
        const outcome = await createEpisodeScope('aborted', echo.pid, {}, { signal }).then(
          (scope) => scope,
          (cause) => cause,
        );
        if (outcome instanceof Scope) {
          // It was faster.
          await removeEpisodeScope('aborted', { kill: true });
          break;
        }
        assert.equal(outcome.name, 'TimeoutError');
        await nothingIsLeft('aborted');
        await until('the process back', () => echo.cgroup === before);
        await echo.answers();
      }
    },
  );

  test(
    'that is given up while the name is another’s leaves that one alone',
    PATIENCE,
    async (t) => {
      const [one, two] = [new Echo(t), new Echo(t)];
      const before = two.cgroup;
      const scope = await createEpisodeScope('theirs', one.pid);
      for (const delayMs of [0, 1, 3, 10]) {
        const signal = AbortSignal.timeout(delayMs);
        await assert.rejects(createEpisodeScope('theirs', two.pid, {}, { signal }));
        assert.equal(one.cgroup, '/episcope.slice/episode-theirs.scope');
        assert.equal(two.cgroup, before);
        await one.answers();
        await two.answers();
      }
      await scope.remove({ kill: true });
      await nothingIsLeft('theirs');
    },
  );

  test(
    'has the scopes of a SIGKILLed owner removed by doctor --clean, and no others',
    PATIENCE,
    async (t) => {
      const owner = new Program(t, ...ORPHANING);
      const pid = Number(await owner.line());
      const echo = new Echo(t);
      const living = await createEpisodeScope('living', echo.pid);
      await owner.kill();
      assert.equal(cgroupOf(pid), '/episcope.slice/episode-orphaned.scope');
      const { lines, code } = await episcope(t, ['doctor', '--clean']);
      assert.equal(code, 0);
      assert.ok(
        lines.some((line) => line.includes(`removed ${SLICE}/episode-orphaned.scope`)),
        lines.join('\n'),
      );
      await until('the unit gone', () => loadState('orphaned') === 'not-found');
      await until('the process dead', () => !existsSync(`/proc/${pid}`));
      await echo.answers();
      await living.remove({ kill: true });
      await nothingIsLeft('living');
    },
  );

  test('has the id of a SIGKILLed owner’s scope, which is ended for it', PATIENCE, async (t) => {
    const owner = new Program(t, ...ORPHANING);
    const pid = Number(await owner.line());
    const [first, heir] = [new Echo(t), new Echo(t)];
    const living = await createEpisodeScope('living', first.pid);
    await owner.kill();
    const scope = await createEpisodeScope('orphaned', heir.pid);
    assert.equal(scope.strategy, 'systemd-transient');
    assert.equal(existsSync(`/proc/${pid}`), false);
    await heir.answers();
    await first.answers();
    for (const each of [scope, living]) await each.remove({ kill: true });
    await nothingIsLeft('orphaned');
    await nothingIsLeft('living');
  });

  test('is told of a process that died before the job: ERR_PROC_GONE', PATIENCE, async (t) => {
    for (const failing of ['start-unit', 'find-cgroup', 'check-alive']) {
      const echo = new Echo(t);
      const onStep = (step) => {
        if (step !== failing) return;
        echo.child.kill('SIGKILL');
        while (!/\) [ZX] /.test(readFileSync(`/proc/${echo.pid}/stat`, 'latin1')));
      };
      await assert.rejects(
        dist.createSystemdScope('dies', {
          slice: 'episcope.slice',
          pid: echo.pid,
          limits: dist.checkLimits({}),
          deadline: performance.now() + 30_000,
          onStep,
        }),
        { name: 'ProcError', code: 'ERR_PROC_GONE' },
        failing,
      );
      await nothingIsLeft('dies');
    }
  });

  test('refuses a name that systemd-run took', PATIENCE, async (t) => {
    const other = new Program(
      t,
      'systemd-run',
      ['--scope', '--unit', 'episode-theirs.scope', 'sleep', '600'],
      {
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    await until('their scope', () => loadState('theirs') === 'loaded');
    const echo = new Echo(t);
    await assert.rejects(createEpisodeScope('theirs', echo.pid), { code: 'ERR_SCOPE_EXISTS' });
    await removeEpisodeScope('theirs', { kill: true });
    await other.exited;
    await nothingIsLeft('theirs');
  });

  test('that has no bus is done without: direct writes', PATIENCE, async (t) => {
    const server = createServer();
    await new Promise((resolve) => server.listen('/tmp/dead-bus', resolve));
    const mute = createServer((socket) => socket.destroy());
    await new Promise((resolve) => mute.listen('/tmp/mute-bus', resolve));
    execFileSync('ln', ['-f', '/tmp/dead-bus', '/tmp/dead-bus-2']);
    await new Promise((resolve) => server.close(resolve));
    const addresses = [
      'unix:path=/nowhere/bus',
      'unix:path=/tmp/dead-bus-2',
      'unix:path=/tmp/mute-bus',
      'unixexec:path=/bin/true',
    ];
    for (const address of addresses) {
      await withEnv('DBUS_SYSTEM_BUS_ADDRESS', address, async () => {
        const echo = new Echo(t);
        const scope = await createEpisodeScope('fallback', echo.pid, LIMITS);
        assert.equal(scope.strategy, 'direct-write', address);
        await echo.answers();
        await scope.remove({ kill: true });
        await assert.rejects(
          createEpisodeScope('fallback', process.pid, {}, { strategy: 'systemd' }),
          (error) => {
            assert.equal(error.code, 'ERR_SCOPE_CREATE');
            assert.match(error.message, /systemd cannot make a scope for fallback: /);
            t.diagnostic(error.message);
            return true;
          },
        );
      });
    }
    mute.close();
    await nothingIsLeft('fallback');
  });

  test('lets the process end that holds a scope of its', PATIENCE, async (t) => {
    const script = `import { spawnInScope } from 'episcope';
      const { child } = await spawnInScope('/bin/sleep', ['600'], { id: 'left', stdio: 'ignore', detached: true });
      child.unref();`;
    const run = new Program(t, process.execPath, ['--input-type=module', '-e', script], {
      cwd: '/episcope',
    });
    assert.deepEqual(await run.exited, { code: 0, signal: null });
    assert.equal(loadState('left'), 'loaded');
    await removeEpisodeScope('left', { kill: true });
    await nothingIsLeft('left');
  });
});

describe('a user without rights', () => {
  test('has scopes by the manager of their own', PATIENCE, async (t) => {
    const run = asTester(t, 'user-scope.mjs', ['{"pidsMax":33,"memoryBytes":67108864}']);
    const said = JSON.parse(await run.line());
    assert.equal(said.error, undefined, said.error?.message);
    assert.equal(said.strategy, 'systemd-transient');
    assert.equal(said.cgroupPath, `${MANAGER}/episcope.slice/episode-tester.scope`);
    assert.equal(said.inside, `0::${said.cgroupPath.slice(CGROUP_ROOT.length)}`);
    assert.deepEqual(said.files, { 'pids.max': '33', 'memory.max': '67108864' });
    assert.ok(Number(said.cpuNs) > 0);
    assert.equal(existsSync(said.cgroupPath), false);
  });

  test(
    'is told of a controller that is not delegated, and nothing is left',
    PATIENCE,
    async (t) => {
      const limits = { ioMax: [{ device: dataDevice(), readOpsPerSec: 100 }] };
      const run = asTester(t, 'user-scope.mjs', [JSON.stringify(limits)]);
      const { error } = JSON.parse(await run.line());
      assert.equal(error.code, 'ERR_CONTROLLER_NOT_ENABLED');
      assert.match(error.message, /no io controller/);
      await until(
        'no scope of the user',
        () => !existsSync(`${MANAGER}/episcope.slice/episode-tester.scope`),
      );
    },
  );

  test('without a bus is told which rights are missing', PATIENCE, async (t) => {
    const env = { XDG_RUNTIME_DIR: '/nowhere' };
    const run = asTester(t, 'user-scope.mjs', ['{}'], { env });
    const { error } = JSON.parse(await run.line());
    assert.equal(error.code, 'ERR_SCOPE_CREATE');
    assert.equal(error.errno, 'EACCES');
    assert.match(error.message, /not writable \(EACCES\)/);
    assert.match(error.message, /not by systemd: there is no user bus at \/nowhere\/bus/);
  });

  test('may not ask the manager of the system', PATIENCE, async (t) => {
    const env = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/dbus/system_bus_socket' };
    const run = asTester(t, 'user-scope.mjs', ['{}'], { env });
    const { error } = JSON.parse(await run.line());
    assert.equal(error.code, 'ERR_SCOPE_CREATE');
    assert.match(error.message, /not by systemd: systemd refused to make the scope/);
    t.diagnostic(error.message);
  });
});

const TICK_NS = 4_000_000n;

for (const [strategy] of STRATEGIES) {
  test(
    `200 scopes at once are created, measured and removed (${strategy})`,
    PATIENCE,
    async (t) => {
      const ids = Array.from({ length: 200 }, (_, index) => `many-${index}`);
      const collector = new TelemetryCollector();
      const handles = new Map();
      const started = await Promise.all(
        ids.map((id) =>
          spawnInScope(program('burner'), ['--ms', '5'], {
            id,
            strategy,
            limits: LIMITS,
            timeoutMs: 300_000,
            stdio: 'ignore',
            beforeExec: ({ cgroupPath }, child) => {
              handles.set(id, collector.start(id, child.pid, { cgroupPath, tier: 'cgroup' }));
            },
          }),
        ),
      );
      await until('200 terminal frames', () =>
        [...handles.values()].every((handle) => handle.snapshot().stopped),
      );
      let final = 0;
      for (const { scope } of started) {
        const frame = handles.get(scope.id).latest();
        assert.ok(frame.o11yFlags.terminal);
        const whole = await scope.cpuUsageNs();
        assert.ok(whole >= 5_000_000n, `${whole} ns`);
        // systemd may have read before the last accounting of what was dying, by a tick of this kernel.
        assert.ok(BigInt(frame.cpuNs) <= whole + TICK_NS, `${frame.cpuNs} of ${whole} ns`);
        if (frame.quality.cpu.has('final')) {
          final += 1;
          assert.equal(BigInt(frame.cpuNs), whole);
        }
      }
      await Promise.all(started.map(({ scope }) => scope.remove({ timeoutMs: 300_000 })));
      assert.deepEqual(scopes(), []);
      t.diagnostic(`${final} of 200 terminal frames final`);
      t.diagnostic(
        `nr_dying_descendants ${keyed(CGROUP_ROOT, 'cgroup.stat').nr_dying_descendants}`,
      );
    },
  );
}

test('no scope is left, nor a unit of one', () => {
  const { stdout } = spawnSync(
    'systemctl',
    ['list-units', '--all', '--plain', '--no-legend', 'episode-*'],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(stdout, '');
  assert.equal(cgroupOf('self'), '/system.slice/episcope-tests.service');
});

describe('where systemd is another’s', () => {
  /** Runs in other namespaces what makes a scope for a process of its own, and says what came of it. */
  const scopeIn = (flags, mount) => {
    const script = `
      import { createEpisodeScope } from 'episcope';
      import { spawn } from 'node:child_process';
      const child = spawn('sleep', ['600'], { stdio: 'ignore' });
      try {
        const scope = await createEpisodeScope('elsewhere', child.pid);
        console.log(JSON.stringify({ strategy: scope.strategy, alive: child.exitCode === null && child.signalCode === null }));
        await scope.remove({ kill: true });
      } catch (error) {
        console.log(JSON.stringify({ code: error.code, message: error.message }));
        child.kill('SIGKILL');
      }`;
    const node = [process.execPath, '--input-type=module', '-e', script];
    const { stdout, stderr } = spawnSync(
      'unshare',
      ['--mount', ...flags, 'sh', '-ec', `${mount}; exec "$@"`, 'sh', ...node],
      { encoding: 'utf8' },
    );
    assert.match(stdout, /^\{/, stderr);
    return JSON.parse(stdout);
  };

  test('in another cgroup namespace a scope is made by direct writes', PATIENCE, async () => {
    const mounted = 'umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup';
    const made = scopeIn(['--cgroup'], mounted);
    assert.deepEqual(made, { strategy: 'direct-write', alive: true });
    await nothingIsLeft('elsewhere');
  });

  test('in another pid namespace nobody else is moved', PATIENCE, async () => {
    const made = scopeIn(['--pid', '--fork', '--mount-proc'], 'true');
    assert.deepEqual(made, { strategy: 'direct-write', alive: true });
    await nothingIsLeft('elsewhere');
  });
});
