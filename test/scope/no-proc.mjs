// Where /proc is not mounted: what scopes and readers say, as JSON: `no-proc.mjs MOUNT`.
import { spawn } from 'node:child_process';
import { CgroupReader, createEpisodeScope, removeEpisodeScope, spawnInScope } from 'episcope';

const [mount] = process.argv.slice(2);
const child = spawn('sleep', ['600'], { stdio: 'ignore' });
const said = async (act) => {
  try {
    await act();
    return null;
  } catch ({ code, message }) {
    return { code, message };
  }
};
console.log(
  JSON.stringify({
    create: await said(() => createEpisodeScope('none', child.pid)),
    createAt: await said(() => createEpisodeScope('none', child.pid, {}, { root: mount })),
    spawn: await said(() => spawnInScope('true', [], { id: 'none' })),
    remove: await said(() => removeEpisodeScope('none')),
    reader: await said(() => CgroupReader.forEpisode('none')),
    js: await said(() => CgroupReader.fromPath(mount, { engine: 'js' })),
    alive: child.exitCode === null && child.signalCode === null,
  }),
);
child.kill('SIGKILL');
