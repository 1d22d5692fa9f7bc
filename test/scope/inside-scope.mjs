// Says FILE.ready, waits until its parent is gone, makes and removes a scope, and says so: `inside-scope.mjs SLICE FILE`.
import { spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createEpisodeScope } from 'episcope';

const [slice, file] = process.argv.slice(2);
const parent = process.ppid;
writeFileSync(`${file}.ready`, '');
while (process.ppid === parent) await delay(5);
const child = spawn('sleep', ['600'], { stdio: 'ignore' });
const scope = await createEpisodeScope('second', child.pid, {}, { slice, strategy: 'direct' });
await scope.remove({ kill: true });
writeFileSync(`${file}.new`, 'made and removed');
renameSync(`${file}.new`, file);
