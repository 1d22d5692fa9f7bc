// Sees a child of another user through a procfs that hides it: `hidepid.mjs ENGINE SOURCE CGROUP COMMAND…`. Run it in a
// mount namespace with such a procfs, and without CAP_SYS_PTRACE.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';

const [engine, tier, cgroup, ...command] = process.argv.slice(2);
const inside = cgroup === '' ? '' : `echo 0 > '${cgroup}/cgroup.procs' &&`;
// The shell stays visible: it is of this user.
const script = `${inside} setpriv --reuid=64123 --regid=64123 --clear-groups "$@"; exit 0`;
const shell = spawn('/bin/sh', ['-c', script, 'sh', ...command], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
await once(shell.stdout, 'data');
const policy = TelemetryPolicy.builder().samplePeriodMs(10).build();
const handle = new TelemetryCollector(policy, { engine }).start('hidden', shell.pid, {
  tier,
  ...(cgroup === '' ? {} : { cgroupPath: cgroup }),
});
const warnings = [];
handle.on('warning', (warning) => warnings.push(warning.message));
await handle.sampleNow();
const frame = await handle.sampleNow();
const quality = Object.fromEntries(
  ['cpu', 'memory', 'io'].map((part) => [part, [...frame.quality[part]]]),
);
const result = { quality, warnings };
shell.stdin.end();
await once(shell, 'exit');
await handle.stop();
console.log(JSON.stringify(result));
