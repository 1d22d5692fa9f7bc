// Puts itself into a scope, and tries what it must not do: `self-scope.mjs SLICE [ROOT]`.
import {
  BudgetTracker,
  createEpisodeScope,
  removeEpisodeScope,
  TelemetryCollector,
} from 'episcope';

const [slice, root] = process.argv.slice(2);
const place = root === undefined ? { slice } : { slice, root };
const scope = await createEpisodeScope('self', process.pid, {}, { ...place, strategy: 'direct' });
const codeOf = async (act) => {
  try {
    await act();
    return null;
  } catch (error) {
    return error.code;
  }
};
/** The episode is another process's. */
const start = (onExhausted, cgroupPath) =>
  new TelemetryCollector().start('self', process.ppid, {
    cgroupPath,
    budget: new BudgetTracker({ cpuMs: 1 }),
    onExhausted,
    manual: true,
  });
console.log(
  JSON.stringify({
    freeze: await codeOf(() => scope.freeze()),
    kill: await codeOf(() => scope.kill()),
    remove: await codeOf(() => scope.remove()),
    removeKill: await codeOf(() => scope.remove({ kill: true })),
    byId: await codeOf(() => removeEpisodeScope('self', { ...place, kill: true })),
    freezeExhausted: await codeOf(() => start('freeze', scope.cgroupPath)),
    killExhausted: await codeOf(() => start('kill', scope.cgroupPath)),
    aboveExhausted: await codeOf(() => start('kill', scope.cgroupPath.replace(/\/[^/]*$/, ''))),
  }),
);
