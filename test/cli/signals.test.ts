import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { isNotForCommand } from '../../src/cli/signals.js';
import { readProcessStat } from '../../src/kernel/process-identity.js';
import { alive, CLI, cli, INSTALLS, startCli, tempFile, until, workload } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';

const script = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
if (script === undefined) {
  console.log('the keys of a terminal are not tested here: there is no script(1) to make one');
}

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`a cgroup that cannot be entered is not tested here: ${noLeaf}`);

const sigprinter = workload('sigprinter');

function names(stdout: string): string[] {
  return stdout.split(/\r?\n/).filter((line) => /^SIG[A-Z0-9]+(\+\d+)?$/.test(line));
}

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** A fault of episcope itself, or one of its own writes, cannot be told from these without the addon. */
const NOT_WITHOUT_ADDON = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGPIPE', 'SIGXFSZ'];
const NOT_FORWARDED = ['SIGKILL', 'SIGSTOP', 'SIGCHLD'];

/** Of each number one name: the one that sigprinter gives. */
const NAMED = Object.entries(constants.signals)
  .filter(([name]) => !['SIGIOT', 'SIGIO', 'SIGUNUSED', ...NOT_FORWARDED].includes(name))
  .map(([name, signo]): [string, number] => [name, signo]);
const REAL_TIME = [0, 3, 30].map((n): [string, number] => [`SIGRTMIN+${n}`, 34 + n]);

describe.each(INSTALLS)('a signal sent to episcope, $name', ({ env, name }) => {
  test('reaches the command, each once', async () => {
    const sent =
      name === 'with the addon'
        ? [...NAMED, ...REAL_TIME]
        : NAMED.filter(([each]) => !NOT_WITHOUT_ADDON.includes(each));
    const run = startCli(
      ['run', '--quiet', sigprinter, '--count', String(sent.length), '--code', '9'],
      { env },
    );
    await run.saw(/ready/);
    for (const [index, [signal, signo]] of sent.entries()) {
      process.kill(run.child.pid ?? 0, signo);
      await until(signal, () => names(run.stdout()).length > index);
    }
    const { code, stdout } = await run.done;
    expect(names(String(stdout))).toEqual(sent.map(([each]) => each));
    expect(code).toBe(9);
  });

  test('that stops the command stops episcope too, and both go on', async () => {
    const program = `trap 'kill -STOP $$' TSTP; echo ready $$; until [ -e "$1" ]; do sleep 0.02; done`;
    const file = tempFile('go-on');
    const run = startCli(['run', '--quiet', 'sh', '-c', program, 'sh', file], { env });
    const [, command] = await run.saw(/ready (\d+)/);
    const episcope = run.child.pid ?? 0;
    const stateOf = (pid: number) => readProcessStat(pid)?.state;
    run.child.kill('SIGTSTP');
    await until('both stopped', () => [Number(command), episcope].every((p) => stateOf(p) === 'T'));
    run.child.kill('SIGCONT');
    await until('both go on', () => [Number(command), episcope].every((p) => stateOf(p) !== 'T'));
    writeFileSync(file, '');
    const { code } = await run.done;
    rmSync(file);
    expect(code).toBe(0);
  });

  test('that ends the command ends episcope too: 128+n, with its summary', async () => {
    const run = startCli(['run', 'sh', '-c', 'echo ready; exec sleep 600'], { env });
    await run.saw(/ready/);
    run.child.kill('SIGTERM');
    const { code, signal, stderr } = await run.done;
    expect({ code, signal }).toEqual({ code: 143, signal: null });
    expect(stderr).toContain('ended by SIGTERM');
  });
});

/** A terminal with `episcope run` in its foreground. */
function startInTerminal(env: Readonly<Record<string, string>>): {
  readonly terminal: ChildProcess;
  text(): string;
} {
  const command = `'${process.execPath}' '${CLI}' run --quiet '${sigprinter}' --count 3`;
  const terminal = spawn(script!, ['-qec', command, '/dev/null'], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  terminal.stdout?.on('data', (chunk) => {
    text += String(chunk);
  });
  return { terminal, text: () => text };
}

describe.skipIf(script === undefined).each(INSTALLS)('a key in the terminal, $name', ({ env }) => {
  test('signals the command once: it had it from the terminal already', async () => {
    const { terminal, text } = startInTerminal(env);
    const done = new Promise((resolve) => terminal.once('close', resolve));
    const ready = await until('ready', () => /ready (\d+)/.exec(text()));
    const episcope = parentOf(Number(ready[1]));
    terminal.stdin?.write('\x03');
    await until('the first signal', () => names(text().replaceAll('^C', '')).length > 0);
    // Whatever was forwarded comes before these: episcope handles signals in their order.
    for (const [index, signal] of (['SIGTERM', 'SIGUSR1'] as const).entries()) {
      process.kill(episcope, signal);
      await until(signal, () => names(text().replaceAll('^C', '')).length > index + 1);
    }
    await done;
    expect(names(text().replaceAll('^C', ''))).toEqual(['SIGINT', 'SIGTERM', 'SIGUSR1']);
  });
});

describe.skipIf(script === undefined).each(INSTALLS)(
  'a terminal that hangs up, $name',
  ({ env }) => {
    test('tells only the leader of its session: the command hears of it from episcope', async () => {
      const file = tempFile('hung-up');
      const program = `trap 'echo hung up >> ${file}; exit' HUP; echo ready $$ $PPID; while :; do sleep 0.02; done`;
      const command = `exec '${process.execPath}' '${CLI}' run --quiet sh -c "$PROGRAM"`;
      const terminal = spawn(script!, ['-qec', command, '/dev/null'], {
        env: { ...process.env, NODE_OPTIONS: '', PROGRAM: program, ...env },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let text = '';
      terminal.stdout?.on('data', (chunk) => {
        text += String(chunk);
      });
      const ready = await until('ready', () => /ready (\d+) (\d+)/.exec(text));
      const pids = ready.slice(1).map(Number);
      try {
        terminal.kill('SIGKILL');
        await until('the hangup', () => existsSync(file));
        await until('the end of both', () => !pids.some(alive));
        expect(readFileSync(file, 'utf8')).toBe('hung up\n');
      } finally {
        for (const pid of pids.filter(alive)) process.kill(pid, 'SIGKILL');
        rmSync(file, { force: true });
      }
    });
  },
);

test.each([
  // signo, si_code, sender; whether the command is not told
  ['a key in the terminal', 2, 0x80, 0, true],
  ['Ctrl-Z', 20, 0x80, 0, true],
  ['the resized window', 28, 0x80, 0, true],
  ['a timer that was set before the exec of episcope', 14, 0x80, 0, false],
  ['our own limit of cpu time', 24, 0x80, 0, true],
  ['somebody’s kill', 24, 0, 1, false],
  ['somebody’s sigqueue', 40, -1, 1, false],
  ['a sender of another pid namespace', 15, 0, 0, false],
  ['a write of our own to a closed pipe', 13, 0, process.pid, true],
  ['a command that signals its whole group', 15, 0, 77, true],
])('%s', (_, signo, code, senderPid, isNot) => {
  expect(isNotForCommand({ signo, code, senderPid }, 77)).toBe(isNot);
});

test('the samples of the profiler of V8 are not passed on', async () => {
  const directory = tempFile('profile');
  const profiled = ['--cpu-prof', `--cpu-prof-dir=${directory}`, CLI];
  const run = spawn(process.execPath, [...profiled, 'run', '--quiet', sigprinter, '--count', '1'], {
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let text = '';
  run.stdout.on('data', (chunk) => {
    text += String(chunk);
  });
  await until('ready', () => /ready/.test(text));
  run.kill('SIGUSR2');
  await new Promise((resolve) => run.once('close', resolve));
  rmSync(directory, { recursive: true });
  expect(names(text)).toEqual(['SIGUSR2']);
});

/** Whatever is launched into a cgroup is sent to one that does not exist. */
const NO_ENTRY = `
  import child from 'node:child_process';
  import { syncBuiltinESMExports } from 'node:module';
  const { spawn } = child;
  child.spawn = (file, args, options) =>
    spawn(file, args.map((arg) => (arg.endsWith('/cgroup.procs') ? '/no/such/cgroup.procs' : arg)), options);
  syncBuiltinESMExports();`;

test.skipIf(noLeaf !== null).each(INSTALLS)(
  'a signal reaches the command also after its cgroup could not be entered, $name',
  async ({ env }) => {
    const preload = `--import=data:text/javascript,${encodeURIComponent(NO_ENTRY)}`;
    const options = [preload, ...Object.values(env)].join(' ');
    const run = startCli(['run', '--quiet', sigprinter, '--count', '1', '--code', '9'], {
      env: { NODE_OPTIONS: options },
    });
    const [, pid] = await run.saw(/ready (\d+)/);
    run.child.kill('SIGTERM');
    // Should it be dropped, only this ends the command.
    const giveUp = setTimeout(() => process.kill(Number(pid), 'SIGKILL'), 5_000);
    const { code, stdout } = await run.done;
    clearTimeout(giveUp);
    expect({ code, names: names(String(stdout)) }).toEqual({ code: 9, names: ['SIGTERM'] });
  },
);

test('a command that signals its whole group is not signalled again', async () => {
  // SIGUSR1 is sent to episcope by another process: forwarded after whatever else was, it ends the wait.
  const program = `
    n=0; trap 'n=$((n+1))' TERM; trap 'over=1' USR1
    kill -TERM 0
    sh -c 'kill -USR1 "$1"' sh "$PPID"
    while [ -z "$over" ]; do sleep 0.01; done
    echo $n`;
  const inner = [process.execPath, CLI, 'run', '--quiet', 'sh', '-c', program];
  // A session of its own, so that the group is only episcope and the command.
  const { stdout, code } = await cli(['run', '--quiet', 'setsid', '--wait', ...inner]);
  expect({ code, stdout: String(stdout) }).toEqual({ code: 0, stdout: '1\n' });
});
