// Lives in an episode's scope, and makes another: `nested-scopes.mjs ENGINE ID`, where ID is that of the outer too.
import { existsSync, readFileSync } from 'node:fs';
import { CgroupReader, removeEpisodeScope, spawnInScope, TelemetryCollector } from 'episcope';

const [engine, id] = process.argv.slice(2);
const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
const { child, scope } = await spawnInScope('sleep', ['600'], { id });
const reader = CgroupReader.forEpisode(id, { engine });
const handle = new TelemetryCollector(undefined, { engine }).start(id, child.pid, {
  tier: 'leaf',
});
const frames = await handle.stop();
const refusal = await spawnInScope('true', [], { id: 'by-systemd', strategy: 'systemd' }).then(
  () => null,
  ({ code, message }) => ({ code, message }),
);
await removeEpisodeScope(id, { kill: true });
console.log(
  JSON.stringify({
    beneath: scope.cgroupPath.endsWith(`${own}/episcope.slice/episode-${id}.scope`),
    strategy: scope.strategy,
    reads: reader.path === scope.cgroupPath,
    sources: frames.at(-1).sources.cpu,
    refusal,
    left: existsSync(scope.cgroupPath),
    // The slice goes with its last scope.
    leftSlice: existsSync(scope.cgroupPath.replace(/\/[^/]*$/, '')),
  }),
);
