/** Starts a command in a scope as whoever runs it, and prints what came of it: `user-scope.mjs LIMITS-AS-JSON`. */
import { readFileSync } from 'node:fs';
import { spawnInScope } from 'episcope';

const files = {};

async function spawned(limits) {
  const { child, scope } = await spawnInScope('/bin/cat', ['/proc/self/cgroup'], {
    id: 'tester',
    limits,
    stdio: ['ignore', 'pipe', 'inherit'],
    beforeExec: ({ cgroupPath }) => {
      for (const file of ['pids.max', 'memory.max']) {
        files[file] = readFileSync(`${cgroupPath}/${file}`, 'utf8').trim();
      }
    },
  });
  let inside = '';
  for await (const chunk of child.stdout) inside += chunk;
  const cpuNs = await scope.cpuUsageNs();
  await scope.remove({ kill: true });
  const { strategy, cgroupPath } = scope;
  return { strategy, cgroupPath, inside: inside.trim(), files, cpuNs: String(cpuNs) };
}

try {
  console.log(JSON.stringify(await spawned(JSON.parse(process.argv[2]))));
} catch ({ code, errno, message }) {
  console.log(JSON.stringify({ error: { code, errno, message } }));
}
