/**
 * Does one thing with scopes again and again, each time with one descriptor more left, until it has worked a few times.
 * Prints what came of each: `what` (see ACTS), `slice`, the launcher's kind.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { findCgroup2Mount, isCgroupV2Available } from '../../dist/host/index.js';
import {
  cleanStaleScopes,
  createEpisodeScope,
  findStaleScopes,
  launchHelper,
  perlLauncher,
  removeEpisodeScope,
  SHELL_LAUNCHER,
  spawnScoped,
} from '../../dist/scope/index.js';

const [what, slice, kind] = process.argv.slice(2);
const mount = findCgroup2Mount();
const where = { slice, strategy: 'direct' };
const launcher = { helper: launchHelper(), perl: perlLauncher(), sh: SHELL_LAUNCHER }[kind];
const sleeper = spawn('sleep', ['600'], { stdio: 'ignore' });
const ENOUGH = 3;

const start = (more) => async () => {
  const options = { id: 'few', ...where, stdio: ['ignore', 'pipe', 'ignore'], ...more };
  const { child, scope } = await spawnScoped('sleep', ['600'], options, { launcher });
  const closed = new Promise((resolve) => child.once('close', resolve));
  return async () => {
    await scope.remove({ kill: true });
    await closed;
  };
};
const nothing = () => {};

const ACTS = {
  spawn: start({}),
  held: start({ beforeExec: nothing }),
  create: async () => {
    const scope = await createEpisodeScope('few', sleeper.pid, {}, where);
    const procs = readFileSync(`${scope.cgroupPath}/cgroup.procs`, 'utf8');
    if (Number(procs) !== sleeper.pid) throw new Error('it is not inside');
    // Out again: the removal kills.
    return async () => {
      const { writeFileSync } = await import('node:fs');
      writeFileSync(`${mount}/cgroup.procs`, String(sleeper.pid));
      await scope.remove();
    };
  },
  remove: async () => {
    await removeEpisodeScope('kept', { slice, kill: true });
    return async () => void (await keep());
  },
  find: async () => {
    await findStaleScopes([mount], { slice });
    return nothing;
  },
  clean: async () => {
    await cleanStaleScopes([mount], { slice });
    return nothing;
  },
  available: async () => {
    if (!isCgroupV2Available()) throw new Error('there is none');
    return nothing;
  },
};

const keep = () => spawnScoped('sleep', ['600'], { id: 'kept', ...where, stdio: 'ignore' }, {});

const descriptors = () => readdirSync('/proc/self/fd').length;
const children = () =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean).length;

/** Node closes the pipes of a child, and reaps it, some turns after its end was told. */
async function settled(before) {
  const isThere = () => descriptors() <= before.descriptors && children() <= before.children;
  for (let i = 0; i < 1_000 && !isThere(); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

// Everything that is loaded or begun once is there.
await (await ACTS[what === 'remove' ? 'spawn' : what]())();
if (what === 'remove') await keep();
const before = { descriptors: descriptors(), children: children() };

const told = [];
for (let free = 0, worked = 0; worked < ENOUGH && free < 64; free += 1) {
  const taken = [];
  try {
    for (;;) taken.push(openSync('/dev/null'));
  } catch {}
  for (let i = 0; i < free; i += 1) closeSync(taken.pop());
  const give = () => {
    for (const fd of taken.splice(0)) closeSync(fd);
  };
  let result = 'ok';
  let takeBack = nothing;
  try {
    takeBack = await ACTS[what]();
    worked += 1;
  } catch ({ name, code, errno, message }) {
    result = { name, code, errno, message };
  }
  give();
  await takeBack();
  const names = (() => {
    try {
      return readdirSync(`${mount}/${slice}`, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !entry.name.includes('kept'))
        .map(({ name }) => name);
    } catch {
      return [];
    }
  })();
  await settled(before);
  const left = {
    scopes: names.filter((name) => name !== 'made-by-episcope'),
    // What the first act had still open may be closed by now.
    descriptors: Math.max(0, descriptors() - before.descriptors),
    // A removal that fails may have killed already: asked for again it goes on.
    children: what === 'remove' ? 0 : children() - before.children,
  };
  told.push({ free, result, left });
}
if (what === 'remove') await removeEpisodeScope('kept', { slice, kill: true });
sleeper.kill('SIGKILL');
console.log(JSON.stringify(told));
process.exit(0);
