// Keeps a scope with a process inside until its stdin ends, then removes it: `scope-keeper.mjs ROOT SLICE ID`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createEpisodeScope } from 'episcope';

const [root, slice, id] = process.argv.slice(2);
const child = spawn('sleep', ['600'], { stdio: 'ignore' });
const scope = await createEpisodeScope(id, child.pid, {}, { root, slice, strategy: 'direct' });
console.log(JSON.stringify({ path: scope.cgroupPath, inside: child.pid }));
process.stdin.resume();
await once(process.stdin, 'end');
await scope.remove({ kill: true });
