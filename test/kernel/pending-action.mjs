// Nothing but the action is left to wait for when the module has run.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupActions, threadPoolActions } from '../../dist/kernel/cgroup-actions.js';

const actions = process.argv[2] === 'actuator' ? cgroupActions() : threadPoolActions;
const directory = mkdtempSync(join(tmpdir(), 'episcope-'));
void actions.remove(directory).then((errno) => console.log(JSON.stringify({ errno })));
