/** Makes a scope as whoever runs it, and prints what came of it as one JSON line. */
import { readFileSync } from 'node:fs';
import { spawnInScope } from 'episcope';

async function spawned() {
  const { child, scope } = await spawnInScope('/bin/cat', ['/proc/self/cgroup'], {
    id: 'nobody',
    limits: { pidsMax: 33 },
    stdio: ['ignore', 'pipe', 'inherit'],
    beforeExec: (made) => {
      pidsMax = readFileSync(`${made.cgroupPath}/pids.max`, 'utf8').trim();
    },
  });
  let inside = '';
  for await (const chunk of child.stdout) inside += chunk;
  await scope.remove({ kill: true });
  return { strategy: scope.strategy, cgroupPath: scope.cgroupPath, inside: inside.trim(), pidsMax };
}

let pidsMax;
try {
  console.log(JSON.stringify(await spawned()));
} catch ({ code, errno, message }) {
  console.log(JSON.stringify({ error: { code, errno, message } }));
}
