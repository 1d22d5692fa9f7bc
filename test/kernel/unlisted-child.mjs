// Kills a process and its child, which the list of children lacks. In a mount namespace of its own.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { killMembers } from '../../dist/kernel/process-killer.js';

function statFields(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function lives(pid) {
  try {
    return !['Z', 'X'].includes(statFields(pid)[0]);
  } catch {
    return false;
  }
}

const shell = spawn('sh', ['-c', 'sleep 1000 >/dev/null & echo $!; read line'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const { pid } = shell;
try {
  const below = Number(String((await once(shell.stdout, 'data'))[0]));
  execFileSync('mount', ['--bind', '/dev/null', `/proc/${pid}/task/${pid}/children`]);
  const starttime = BigInt(statFields(pid)[19]);
  const { errno, killed } = await killMembers({
    cgroup: null,
    processes: [{ pid, starttime }],
    reapers: [],
  });
  console.log(JSON.stringify({ errno, killed, living: [pid, below].filter(lives) }));
} finally {
  shell.kill('SIGKILL');
}
