/**
 * How long a command takes to start in a scope of its own, against a plain `spawn`: `npm run bench:spawn [-- ROUNDS]`.
 * All in one run and in turn, so that they suffer alike from whatever else the machine does. A start lasts until the
 * command's first output is there.
 */
import { spawn } from 'node:child_process';
import { spawnInScope } from 'episcope';
import { percentile } from './statistics.mjs';

const rounds = Number(process.argv[2] ?? 300);
const options = { stdio: ['ignore', 'pipe', 'ignore'] };

/** ms from `begin` to the first output; the rest is waited for. */
async function firstOutput(begin, { stdout }) {
  let ms = null;
  for await (const _ of stdout) ms ??= performance.now() - begin;
  return ms;
}

function plain() {
  return firstOutput(performance.now(), spawn('echo', [], options));
}

async function inScope(round, strategy, more = {}) {
  const id = `bench-${strategy}-${process.pid}-${round}`;
  const begin = performance.now();
  const { child, scope } = await spawnInScope('echo', [], { ...options, id, strategy, ...more });
  const ms = await firstOutput(begin, child);
  await scope.remove({ kill: true });
  return ms;
}

const ways = new Map([
  ['plain spawn', plain],
  ['in a scope, direct', (round) => inScope(round, 'direct')],
  ['… with beforeExec', (round) => inScope(round, 'direct', { beforeExec: () => {} })],
  ['in a scope, systemd', (round) => inScope(round, 'systemd')],
]);

const times = new Map();
for (let round = 0; round < rounds; round += 1) {
  for (const [name, way] of ways) {
    try {
      times.set(name, [...(times.get(name) ?? []), await way(round)]);
    } catch (cause) {
      if (round > 0) throw cause;
      console.log(`${name}: not here (${cause.message})`);
      ways.delete(name);
    }
  }
}

console.log(`${rounds} starts of each, in turn; ms until the command's first output`);
for (const [name, list] of times) {
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => percentile(list, share).toFixed(2));
  console.log(`${name.padEnd(20)}  p50 ${p50}  p90 ${p90}  p99 ${p99}`);
}
