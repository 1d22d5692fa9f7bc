// Puts itself into a scope, and tries what it must not do: `self-scope.mjs SLICE`.
import { createEpisodeScope, removeEpisodeScope } from 'episcope';

const [slice] = process.argv.slice(2);
const scope = await createEpisodeScope('self', process.pid, {}, { slice, strategy: 'direct' });
const codeOf = async (act) => {
  try {
    await act();
    return null;
  } catch (error) {
    return error.code;
  }
};
console.log(
  JSON.stringify({
    freeze: await codeOf(() => scope.freeze()),
    kill: await codeOf(() => scope.kill()),
    remove: await codeOf(() => scope.remove()),
    removeKill: await codeOf(() => scope.remove({ kill: true })),
    byId: await codeOf(() => removeEpisodeScope('self', { slice, kill: true })),
  }),
);
