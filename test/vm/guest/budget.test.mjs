/** What is done at a limit, on a real cgroup v2 with every controller; and of a tree that has no cgroup. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BudgetTracker } from 'episcope';
import { keyed, makeCgroup, scopes } from './cgroup.mjs';
import { measure, startEpiscope } from './episcope.mjs';
import { assertFinalCpu, assertWholeSession, startSession } from './session.mjs';
import { PATIENCE, until, within } from './until.mjs';
import { ENGINES, Program, program, startWorkload } from './workload.mjs';

const NOBODY = { uid: 65534, gid: 65534 };
const LIMITED = fileURLToPath(new URL('limited.mjs', import.meta.url));

const LIMIT_MS = 500;
const PERIOD_MS = 20;
/** CONFIG_HZ of the guest's kernel is 250. */
const TICK_MS = 4;
const CPUS = 2;

/** Two processes that burn cpu until they are killed, in a cgroup (null: in ours), once told to. */
function startBurners(t, cgroup) {
  const script = 'read go; while :; do :; done & while :; do :; done';
  if (cgroup === null) return new Program(t, 'sh', ['-c', script]);
  return new Program(t, program('enter'), [cgroup, 'sh', '-c', script]);
}

function blockFor(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** State of a process: 'Z', 'R', …; undefined when it is gone. */
function stateOf(pid) {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text[text.lastIndexOf(')') + 2];
}

const isDead = (pid) => [undefined, 'Z', 'X'].includes(stateOf(pid));

/** Pids of everything with a word in its environment. */
function carriersOf(word) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(word) && !isDead(pid);
      } catch {
        return false;
      }
    });
}

/**
 * A bound on what was consumed, not on time: two periods and a tick on each cpu. A period that passed without a sample,
 * because the emulator let the sampler's cpu stand still, is no promise broken.
 */
function assertBound(handle, frame) {
  const late = handle.snapshot().deadlinesMissed * PERIOD_MS;
  const most = LIMIT_MS + (2 * PERIOD_MS + TICK_MS + late) * CPUS;
  assert.ok(frame.cpuMs >= LIMIT_MS && frame.cpuMs <= most, `${frame.cpuMs} ms, at most ${most}`);
}

for (const engine of ENGINES) {
  describe(`CTR-TL02: a runaway is stopped while the event loop is blocked (${engine})`, () => {
    const options = () => ({
      periodMs: PERIOD_MS,
      budget: new BudgetTracker({ cpuMs: LIMIT_MS }),
    });

    test('kill, in a full cgroup', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const burners = startBurners(t, cgroupPath);
      const { handle } = startSession(t, engine, burners.pid, {
        cgroupPath,
        ...options(),
        onExhausted: 'kill',
      });
      const told = [];
      for (const name of ['exhausted', 'exit', 'stopped', 'warning']) {
        handle.on(name, (event) => told.push([name, event]));
      }
      burners.say('go');
      await new Promise(setImmediate);
      blockFor(3_000);
      assert.ok(isDead(burners.pid));
      assert.equal(keyed(cgroupPath, 'cgroup.events').populated, 0);
      const frames = await handle.stop();
      assertWholeSession(frames);
      assertFinalCpu(frames.at(-1), cgroupPath);
      assertBound(handle, frames.at(-1));
      assert.deepEqual(
        told.map(([name]) => name),
        ['exhausted', 'exit', 'stopped'],
      );
      const [, { resource, limit, consumed, seq, action }] = told[0];
      assert.deepEqual(
        { resource, limit, action },
        { resource: 'cpuMs', limit: 500, action: 'kill' },
      );
      assert.equal(consumed, frames[seq].cpuMs);
      assert.ok(frames[seq - 1].cpuMs < LIMIT_MS);
      assert.equal(told[2][1].reason, 'exhausted');
    });

    test('kill, of a process tree', PATIENCE, async (t) => {
      const burners = startBurners(t, null);
      const { handle } = startSession(t, engine, burners.pid, {
        tier: 'proc',
        ...options(),
        onExhausted: 'kill',
      });
      burners.say('go');
      await new Promise(setImmediate);
      blockFor(3_000);
      assert.ok(isDead(burners.pid));
      const frames = await handle.stop();
      assert.ok(frames.at(-1).o11yFlags.terminal);
      assertBound(handle, frames.at(-1));
    });

    test('freeze: nothing is consumed any more, until thaw()', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const burners = startBurners(t, cgroupPath);
      const { handle } = startSession(t, engine, burners.pid, {
        cgroupPath,
        ...options(),
        onExhausted: 'freeze',
      });
      burners.say('go');
      await new Promise(setImmediate);
      blockFor(3_000);
      assert.equal(keyed(cgroupPath, 'cgroup.events').frozen, 1);
      const frames = await handle.stop();
      assertWholeSession(frames);
      assertBound(handle, frames.at(-1));
      assert.equal(keyed(cgroupPath, 'cgroup.events').frozen, 1);
      assertFinalCpu(frames.at(-1), cgroupPath);
      const usage = () => keyed(cgroupPath, 'cpu.stat').usage_usec;
      const frozenUsage = usage();
      assert.equal(isDead(burners.pid), false);
      await handle.thaw();
      assert.equal(keyed(cgroupPath, 'cgroup.events').frozen, 0);
      await until('it burns again', () => usage() > frozenUsage + 10_000);
    });

    test(
      'a tree that forks while it is killed dies to the last of its line',
      PATIENCE,
      async (t) => {
        const word = `budget_${engine}_${process.pid}`;
        const forks = 'while :; do (sleep 0.02; sleep 600) & sleep 0.02; done';
        const bush = new Program(t, 'sh', ['-c', `read go; ${forks} & ${forks} & exec sleep 600`], {
          env: { ...process.env, [word]: '1' },
        });
        const { handle } = startSession(t, engine, bush.pid, {
          tier: 'proc',
          periodMs: PERIOD_MS,
          budget: new BudgetTracker({ wallMs: 1_500 }),
          onExhausted: 'kill',
        });
        bush.say('go');
        await until('a bush', () => carriersOf(word).length > 8);
        await within('its end', once(handle, 'stopped'));
        assert.deepEqual(carriersOf(word), []);
      },
    );

    test('who may neither kill nor freeze is told, and the sampling stops', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const workload = startWorkload(t, cgroupPath, 'allocator', '--mib', '4');
      assert.equal(await workload.line(), 'ready');
      const args = [LIMITED, engine, cgroupPath, String(workload.pid)];
      const script = new Program(t, process.execPath, args, NOBODY);
      const { reason, warnings } = JSON.parse(await script.line());
      assert.equal(reason, 'exhausted');
      assert.deepEqual(
        warnings.filter(({ code }) => code === 'ERR_ACTION_FAILED').map(({ errno }) => errno),
        ['EPERM', 'EACCES'],
      );
      assert.equal(isDead(workload.pid), false);
    });

    test('bytes of io.stat are charged, and end a writer', PATIENCE, async (t) => {
      const cgroupPath = makeCgroup(t);
      const script = `read go; while :; do ${program('writer')} --path /data/b-${engine}-$$ --bytes 1048576 </dev/null >/dev/null; rm -f /data/b-${engine}-$$; done`;
      const writer = new Program(t, program('enter'), [cgroupPath, 'sh', '-c', script]);
      const budget = new BudgetTracker({ ioBytes: 8 << 20 });
      const { handle } = startSession(t, engine, writer.pid, {
        cgroupPath,
        periodMs: PERIOD_MS,
        budget,
        onExhausted: 'kill',
      });
      const exhausted = once(handle, 'exhausted');
      writer.say('go');
      const [{ resource, consumed }] = await within('the limit', exhausted);
      assert.equal(resource, 'ioBytes');
      assert.ok(consumed >= 8 << 20);
      const frames = await handle.stop();
      assert.equal(budget.consumed().ioBytes, frames.at(-1).ioTotalBytes);
      assert.ok(isDead(writer.pid));
    });
  });

  describe(`episcope run with a limit (${engine})`, () => {
    const burn = ['sh', '-c', 'while :; do :; done'];

    test(
      'a budget kill exits 137, and the summary says which, when, by how much',
      PATIENCE,
      async (t) => {
        const args = ['--engine', engine, '--cpu-ms', '300', '--period', '20'];
        const run = await measure(t, args, burn);
        assert.equal(run.code, 137);
        const { exhausted, sources } = run.summary;
        assert.equal(exhausted.resource, 'cpu_ms');
        assert.equal(exhausted.limit, 300);
        assert.ok(exhausted.consumed >= 300);
        assert.equal(exhausted.action, 'kill');
        assert.deepEqual(sources, { cpu: 'cgroup', memory: 'cgroup', io: 'cgroup' });
        assert.match(run.stderr, /budget +cpu .* of 300\.0 ms at .*: killed/);
        assert.deepEqual(scopes(), []);
      },
    );

    test(
      '--memory-max is the kernel’s limit: an oom kill of the whole scope',
      PATIENCE,
      async (t) => {
        const args = ['--engine', engine, '--memory-max', '64M'];
        const command = ['sh', '-c', `sleep 1000 & ${program('allocator')} --mib 300; sleep 1000`];
        const run = await measure(t, args, command);
        assert.equal(run.code, 137);
        assert.ok(run.summary.oom_kills >= 1);
        assert.equal(run.summary.exhausted.resource, 'memory_bytes');
        assert.equal(run.summary.exhausted.limit, 64 << 20);
        assert.equal(run.summary.exhausted.action, 'oom_kill');
        assert.ok(run.summary.mem_peak_bytes <= 64 << 20);
        assert.deepEqual(scopes(), []);
      },
    );

    test(
      '--memory-max below what it takes to start kills it too, and says so',
      PATIENCE,
      async (t) => {
        const args = ['--engine', engine, '--memory-max'];
        const exec = await measure(t, [...args, '4K'], ['true']);
        assert.equal(exec.code, 137);
        assert.equal(exec.summary.exhausted.resource, 'memory_bytes');
        const launcher = await measure(t, [...args, '1'], ['true']);
        assert.equal(launcher.code, 137);
        assert.match(launcher.stderr, /--memory-max is less than true takes to start: killed/);
        assert.deepEqual(scopes(), []);
      },
    );

    test('freeze leaves it frozen until episcope is told to end', PATIENCE, async (t) => {
      const args = ['run', '--engine', engine, '--id', 'frozen', '--cpu-ms', '200'];
      const run = startEpiscope(t, [...args, '--on-exhausted', 'freeze', '--', ...burn], {
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      let stderr = '';
      run.child.stderr.setEncoding('utf8').on('data', (data) => {
        stderr += data;
      });
      await until('the word that it is frozen', () => stderr.includes('is frozen'));
      const scope = '/sys/fs/cgroup/episcope.slice/episode-frozen.scope';
      assert.equal(keyed(scope, 'cgroup.events').frozen, 1);
      run.child.kill('SIGTERM');
      assert.deepEqual(await within('the end', run.exited), { code: 137, signal: null });
      assert.deepEqual(scopes(), []);
    });
  });
}
