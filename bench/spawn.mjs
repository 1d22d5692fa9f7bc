/**
 * Compares the start of a command in its own scope with a plain `spawn`: `npm run bench:spawn [-- ROUNDS]`. The variants
 * take turns in one run, so that other load on the machine affects all of them alike. A start lasts until the first
 * output of the command arrives.
 */
import { spawn } from 'node:child_process';
import { spawnInScope } from 'episcope';
import { percentile } from './statistics.mjs';

const rounds = Number(process.argv[2] ?? 300);
const options = { stdio: ['ignore', 'pipe', 'ignore'] };

/** Returns the ms from `begin` to the first output, after the command has ended. */
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
      console.log(`${name}: not available (${cause.message})`);
      ways.delete(name);
    }
  }
}

console.log(`${rounds} starts of each, in turn; ms until the command's first output`);
for (const [name, list] of times) {
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => percentile(list, share).toFixed(2));
  console.log(`${name.padEnd(20)}  p50 ${p50}  p90 ${p90}  p99 ${p99}`);
}
