import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CLI, cli, INSTALLS, startCli, until, workload } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';

const script = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
if (script === undefined) {
  console.log('the keys of a terminal are not tested here: there is no script(1) to make one');
}

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`a cgroup that cannot be entered is not tested here: ${noLeaf}`);

const sigprinter = workload('sigprinter');

function names(stdout: string): string[] {
  return stdout.split(/\r?\n/).filter((line) => /^SIG[A-Z0-9]+$/.test(line));
}

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

describe.each(INSTALLS)('a signal sent to episcope, $name', ({ env }) => {
  test('reaches the command, each once', async () => {
    const sent = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT'] as const;
    const run = startCli(
      ['run', '--quiet', sigprinter, '--count', String(sent.length), '--code', '9'],
      { env },
    );
    await run.saw(/ready/);
    for (const [index, signal] of sent.entries()) {
      run.child.kill(signal);
      await until(signal, () => names(run.stdout()).length > index);
    }
    const { code, stdout } = await run.done;
    expect(names(String(stdout))).toEqual(sent);
    expect(code).toBe(9);
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
