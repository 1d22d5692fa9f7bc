/** The programs of `test/workloads`, and what is to be compared with them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { within } from './until.mjs';

export const ENGINES = ['native', 'js'];

/** Ways to burn about a second of cpu. */
export const BURNS = {
  'one process': ['--ms', '1000'],
  'sequential short-lived children': ['--children', '80', '--each-ms', '10'],
  'parallel children': ['--children', '24', '--each-ms', '40', '--parallel', '4'],
  // Few: what their exit costs after they have reported is told by nobody, as nobody of ours reaps them.
  'daemonized grandchildren': [
    '--children',
    '8',
    '--each-ms',
    '120',
    '--parallel',
    '2',
    '--daemonize',
  ],
};

export const program = (name) => `/workloads/${name}`;

/** A started program: its lines of output one by one, its end. Killed with the test that started it. */
export class Program {
  #lines;

  constructor(t, command, args, options = {}) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
    this.exited = once(this.child, 'exit').then(([code, signal]) => ({ code, signal }));
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    // Of one that was killed nobody hears the rest.
    this.child.stdin.on('error', () => {});
    t.after(() => this.child.kill('SIGKILL'));
  }

  get pid() {
    return this.child.pid;
  }

  /** The next line of its output; undefined at the end. */
  async line() {
    return (await within('a line of output', this.#lines.next())).value;
  }

  say(line) {
    this.child.stdin.write(`${line}\n`);
  }

  /** Ends its input, which ends a workload that holds something. */
  async end() {
    this.child.stdin.end();
    return within('the end of a workload', this.exited);
  }

  async kill() {
    this.child.kill('SIGKILL');
    return within('the end of a killed workload', this.exited);
  }
}

/** Starts a workload inside a cgroup (null: where the test itself is). */
export function startWorkload(t, cgroup, name, ...args) {
  if (cgroup === null) return new Program(t, program(name), args);
  return new Program(t, program('enter'), [cgroup, program(name), ...args]);
}

/** Workloads by the hundred: a spawn by Node costs tens of milliseconds here, a fork of the launcher one or two. */
export class Launcher {
  #launcher;
  #waiting = new Map();

  constructor(t) {
    this.#launcher = spawn(program('launcher'), { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#launcher.stdout }).on('line', (line) => {
      const [cgroup, pid] = line.split(' ');
      this.#waiting.get(cgroup)(Number(pid));
      this.#waiting.delete(cgroup);
    });
    t.after(() => this.#launcher.kill('SIGKILL'));
  }

  /** The pid of a process in `cgroup` that burns cpu, and has a child that does, until they are killed. */
  start(cgroup) {
    const pid = new Promise((resolve) => this.#waiting.set(cgroup, resolve));
    this.#launcher.stdin.write(`${cgroup}\n`);
    return within(`a workload in ${cgroup}`, pid);
  }
}

/** What a burner said of itself, in ns: all of it, and what of that was charged before its main(). */
export function burnerCpu(line) {
  const { user_us, system_us, launch_us } = JSON.parse(line);
  return { wholeNs: (user_us + system_us) * 1000, launchNs: launch_us * 1000 };
}

/**
 * The promise about cpu: within 3 % + 20 ms of the workload's own getrusage. That begins at the fork, before
 * the process has entered its cgroup, and emulation makes a fork and an exec cost tens of milliseconds:
 * a cgroup's figure may lack some of the launch (`inCgroup`), that of a process may not.
 */
export function assertCpu(measuredNs, { wholeNs, launchNs }, { inCgroup }) {
  const slack = wholeNs * 0.03 + 20e6;
  const least = wholeNs - slack - (inCgroup ? launchNs : 0);
  const ms = (ns) => `${(ns / 1e6).toFixed(1)} ms`;
  assert.ok(
    measuredNs >= least && measuredNs <= wholeNs + slack,
    `measured ${ms(measuredNs)}, the workload says ${ms(wholeNs)}, ${ms(launchNs)} of it for its launch`,
  );
}

/** The promise about memory: within 10 % of what was allocated. */
export function assertMemory(measuredBytes, allocatedBytes) {
  assert.ok(
    Math.abs(measuredBytes - allocatedBytes) <= allocatedBytes * 0.1,
    `measured ${measuredBytes}, allocated ${allocatedBytes}`,
  );
}
