// Reads the process of argv[2] as a user that may not.
import { ProcReader } from '../../dist/engine/js/proc-reader.js';
import { Reading } from '../../dist/engine/js/reading.js';

process.setgroups([]);
process.setgid(65534);
process.setuid(65534);
const reader = new ProcReader();
const refused = reader.open({
  pid: Number(process.argv[2]),
  procRoot: '/proc',
  tree: false,
  reaperPid: 0,
});
if (refused !== null) throw new Error(JSON.stringify(refused));
const parts = reader.read(15, new Reading());
console.log(JSON.stringify({ parts, failure: reader.failure(2) }));
