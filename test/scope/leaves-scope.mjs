// Starts a command in a scope, prints its pid, and waits to be killed: `leaves-scope.mjs SLICE [ID]`.
import { spawnInScope } from 'episcope';

const [slice, id = 'left'] = process.argv.slice(2);
const options = { id, slice, strategy: 'direct', stdio: 'ignore' };
const { child } = await spawnInScope('sleep', ['600'], options);
console.log(child.pid);
setInterval(() => {}, 60_000);
