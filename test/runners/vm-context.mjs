// Run by runners.test.ts: the main uses, with the package evaluated in a fresh realm, and in ours. Reports who failed.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { evaluate, freshRealm } from '../support/evaluate.mjs';
import { MAIN_USES } from './project/main-uses.js';

const { engine, place, slice } = JSON.parse(process.argv[2]);
const realms = { fresh: freshRealm(), own: undefined };
const failed = [];
for (const [realm, context] of Object.entries(realms)) {
  const episcope = await evaluate({ context });
  for (const [name, use] of Object.entries(MAIN_USES)) {
    const own = join(place, `${realm} ${name}`);
    mkdirSync(own);
    try {
      await use(episcope, { engine, place: own, slice });
    } catch (error) {
      failed.push(`${realm}: ${name}: ${error.stack}`);
    }
  }
}
console.log(JSON.stringify(failed));
