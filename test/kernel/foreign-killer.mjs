// Kills, as a user that may not signal it, the process of argv[2], and a child of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { killEverything } from '../../dist/kernel/process-killer.js';

function known(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid, starttime: BigInt(fields[19]) };
}

process.setgroups([]);
process.setgid(65534);
process.setuid(65534);
const own = spawn('sleep', ['1000'], { stdio: 'ignore' });
await once(own, 'spawn');
const ended = once(own, 'exit');
const errno = await killEverything({
  cgroup: null,
  processes: [known(Number(process.argv[2])), known(own.pid)],
  reapers: [],
  maySignal: true,
});
const [, signal] = await ended;
console.log(JSON.stringify({ errno, signal }));
