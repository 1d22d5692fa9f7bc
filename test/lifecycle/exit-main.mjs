// Run by exit.test.ts: goes to a stage, says so, and ends in the given way.
import { writeSync } from 'node:fs';
import { stages } from './stages.mjs';

const [engine, stage, end] = process.argv.slice(2);

const ends = {
  'nothing left to do': () => {},
  'process.exit()': () => process.exit(0),
  'an uncaught throw': () => {
    process.nextTick(() => {
      throw new Error('on purpose');
    });
  },
  SIGTERM: () => {
    process.kill(process.pid, 'SIGTERM');
    setInterval(() => {}, 1000);
  },
};

globalThis.kept = await stages[stage](engine);
writeSync(1, `${stage}\n`);
ends[end]();
