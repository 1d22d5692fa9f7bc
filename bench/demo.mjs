// Runs `episcope run` on a real workload: `npm run demo`. Options are passed on: `npm run demo -- --engine js`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));

console.log(`episcope run -- node bench/demo-workload.mjs
The workload takes a few seconds: it burns cpu in short-lived child processes, holds 192 MiB of memory
and writes 32 MiB to a file that it syncs. Nothing leaves this machine. What it consumed follows.
`);

const { status, error } = spawnSync(
  process.execPath,
  [
    pathOf('../dist/cli/main.js'),
    'run',
    ...process.argv.slice(2),
    '--',
    process.execPath,
    pathOf('./demo-workload.mjs'),
  ],
  { stdio: 'inherit' },
);
if (error) throw error;
process.exitCode = status ?? 1;
