// Measures sampling off the event loop, as JSON: npm run bench:sampling [-- js|native] [--quick]
import { spawn } from 'node:child_process';
import { cpus, release } from 'node:os';
import { cost } from './sampling/cost.mjs';
import { lateness } from './sampling/lateness.mjs';
import { loopDelay } from './sampling/loop-delay.mjs';
import { wakeToRead } from './sampling/wake-to-read.mjs';

const words = process.argv.slice(2);
const quick = words.includes('--quick');
const engines = words.filter((word) => word === 'native' || word === 'js');
const say = (text) => process.stderr.write(`${text}\n`);

const sleeper = spawn('sleep', ['100000'], { stdio: 'ignore' });
// It would otherwise keep this process alive.
sleeper.unref();
process.once('exit', () => sleeper.kill());
process.once('SIGINT', () => process.exit(130));

const report = {
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, linux: release(), node: process.version },
};
for (const engine of engines.length > 0 ? engines : ['native', 'js']) {
  say(`${engine}: lateness with a blocked main loop …`);
  const late = await lateness(engine, quick ? { rounds: 1, seconds: 2 } : {});
  say(`${engine}: cost of 1,000 episodes at 10 Hz …`);
  const costs = await cost(engine, sleeper.pid, quick ? { seconds: 2 } : {});
  say(`${engine}: event-loop delay …`);
  const delay = await loopDelay(engine, sleeper.pid, quick ? { rounds: 2, seconds: 1 } : {});
  say(`${engine}: wake to read …`);
  const reader = engine === 'native' ? 'episcope' : 'episcope/reader';
  const wake = await wakeToRead(engine, reader, quick ? { seconds: 2 } : {});
  report[engine] = { lateness: late, cost: costs, loop_delay: delay, wake_to_read: wake };
}
console.log(JSON.stringify(report, null, 2));
