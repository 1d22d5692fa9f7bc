// A process that does what its stdin says, one command a line, and answers each with one line.
//   burn <ms>      uses that much cpu time
//   spawn          starts a child of this script and answers its pid
//   tell <command> hands the command to the youngest child and answers its answer
//   reap           ends the youngest child and waits for it
//   ticks          answers utime + stime + cutime + cstime of /proc/self/stat
//   exit
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const children = [];

function startChild() {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  children.push({ child, lines, ended: new Promise((resolve) => child.once('exit', resolve)) });
  return child.pid;
}

function burn(ms) {
  const used = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const begin = used();
  while (used() - begin < ms);
}

function ticks() {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

async function answer(line) {
  const [command, ...rest] = line.split(' ');
  switch (command) {
    case 'burn':
      burn(Number(rest[0]));
      return 'burnt';
    case 'spawn':
      return startChild();
    case 'tell': {
      const { child, lines } = children.at(-1);
      child.stdin.write(`${rest.join(' ')}\n`);
      return (await lines.next()).value;
    }
    case 'reap': {
      const { child, ended } = children.pop();
      child.stdin.end();
      await ended;
      return 'reaped';
    }
    case 'ticks':
      return ticks();
    default:
      throw new Error(`no such command: ${command}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'exit') break;
  console.log(String(await answer(line)));
}
process.exit(0);
