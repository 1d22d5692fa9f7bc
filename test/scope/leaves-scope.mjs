// Starts a command in a scope, prints its pid, and waits to be killed: `leaves-scope.mjs SLICE [ID [COMMAND…]]`.
import { spawnInScope } from 'episcope';

const [slice, id = 'left', command = 'sleep', ...args] = process.argv.slice(2);
const options = { id, slice, strategy: 'direct', stdio: 'ignore' };
const { child } = await spawnInScope(command, command === 'sleep' ? ['600'] : args, options);
console.log(child.pid);
setInterval(() => {}, 60_000);
