/** That this guest is what the other tests here take it for. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CGROUP_ROOT, text } from '../guest/cgroup.mjs';
import { PATIENCE } from '../guest/until.mjs';
import { asTester, MANAGER, programAsTester, RUNTIME_DIR, TESTER } from './user.mjs';

const CONTROLLERS = ['cpu', 'io', 'memory', 'pids'];

const systemctl = (...args) => execFileSync('systemctl', args, { encoding: 'utf8' }).trimEnd();
const words = (line) => line.trim().split(/\s+/).filter(Boolean).sort();

describe('the system', () => {
  test('pid 1 is systemd, and has started all it should', PATIENCE, () => {
    assert.equal(readFileSync('/proc/1/comm', 'utf8'), 'systemd\n');
    assert.equal(systemctl('--failed', '--no-legend', '--plain'), '');
    assert.equal(systemctl('is-system-running', '--wait'), 'running');
  });

  test('the system bus has its socket', () => {
    assert.ok(statSync('/run/dbus/system_bus_socket').isSocket());
  });

  test('/sys/fs/cgroup is cgroup2, with every controller', () => {
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .findLast(([, where]) => where === CGROUP_ROOT);
    assert.equal(mount[2], 'cgroup2');
    const controllers = words(text(CGROUP_ROOT, 'cgroup.controllers'));
    for (const controller of CONTROLLERS) assert.ok(controllers.includes(controller), controller);
  });

  test('the tests run as root, in a service that nothing is delegated to', () => {
    assert.equal(process.getuid(), 0);
    const cgroup = '/system.slice/episcope-tests.service';
    assert.equal(readFileSync('/proc/self/cgroup', 'utf8'), `0::${cgroup}\n`);
    assert.equal(systemctl('show', '--value', '-p', 'Delegate', 'episcope-tests.service'), 'no');
  });

  test('a workload and a disk are where the other guest has them', () => {
    accessSync('/workloads/burner', constants.X_OK);
    assert.deepEqual(readdirSync('/data'), ['lost+found']);
  });
});

describe('the manager of a user', () => {
  test('runs, with its bus', () => {
    assert.equal(systemctl('is-active', `user@${TESTER.uid}.service`), 'active');
    const bus = statSync(`${RUNTIME_DIR}/bus`);
    assert.ok(bus.isSocket());
    assert.equal(bus.uid, TESTER.uid);
  });

  test('owns its cgroup, and controllers are delegated to it', (t) => {
    assert.equal(statSync(MANAGER).uid, TESTER.uid);
    const controllers = words(text(MANAGER, 'cgroup.controllers'));
    t.diagnostic(`delegated to uid ${TESTER.uid}: ${controllers.join(' ')}`);
    assert.ok(controllers.includes('memory') && controllers.includes('pids'));
  });

  test('a script runs as the user', PATIENCE, async (t) => {
    const script = asTester(t, 'identity.mjs', ['one', 2]);
    const { cgroup, groups, ...identity } = JSON.parse(await script.line());
    assert.deepEqual(identity, {
      ...TESTER,
      home: '/home/tester',
      runtimeDir: RUNTIME_DIR,
      args: ['one', '2'],
    });
    assert.ok(!groups.includes(0), `in groups ${groups}`);
    assert.equal(cgroup, '0::/system.slice/episcope-tests.service');
    assert.deepEqual(await script.exited, { code: 0, signal: null });
  });

  test('starts a service of the user, who may not do that with the system', PATIENCE, async (t) => {
    const run = ['--quiet', '--pipe', '--wait', '--collect', 'cat', '/proc/self/cgroup'];
    const mine = programAsTester(t, 'systemd-run', ['--user', ...run]);
    const [, path] = (await mine.line()).split('::');
    assert.ok(`${CGROUP_ROOT}${path}`.startsWith(`${MANAGER}/app.slice/run-`), path);
    assert.deepEqual(await mine.exited, { code: 0, signal: null });

    const theirs = programAsTester(t, 'systemd-run', ['--system', ...run], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    assert.notEqual((await theirs.exited).code, 0);
  });
});
