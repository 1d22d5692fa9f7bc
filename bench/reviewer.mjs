/**
 * Compares the reviewer log's group commit with one write and one sync per event, and measures reading a large log:
 * `npm run bench:reviewer [-- DIRECTORY [MEGABYTES]]`. DIRECTORY (default: the system's temporary directory) selects the
 * disk; MEGABYTES (default 1024) is the size of the log to read.
 *
 * The writers take turns in one run, so that other load on the machine affects all of them alike.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReviewerTelemetryWriter } from 'episcope';
import { median, percentile } from './statistics.mjs';

const [directory = tmpdir(), megabytes = '1024'] = process.argv.slice(2);
const place = mkdtempSync(join(directory, 'episcope-bench-'));
process.once('exit', () => rmSync(place, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(130));

const eventOf = (seq) => ({
  schema: 'apm2.reviewer.lifecycle_event.v1',
  schema_version: 1,
  ts: '2026-11-26T07:00:00Z',
  event: 'run_crash',
  review_type: 'security',
  pr_number: 1 + (seq % 10),
  head_sha: '0123456789abcdef0123456789abcdef01234567',
  seq,
  run_id: `run-${seq % 100}`,
  reason_code: 'SIGKILL',
  detail: 'the workload was killed by its budget after 30,000 ms of cpu time',
});

/** Writes one event at a time, as a writer without group commit does, and without a lock. */
class OneByOne {
  #last = Promise.resolve();

  constructor(handle) {
    this.handle = handle;
  }

  append(event) {
    const line = `${JSON.stringify(event)}\n`;
    this.#last = this.#last.then(async () => {
      await this.handle.write(line);
      await this.handle.sync();
    });
    return this.#last;
  }
}

const handle = await open(join(place, 'one-by-one.ndjson'), 'a');
const writers = new Map([
  ['one write, one fsync', new OneByOne(handle)],
  ['ReviewerTelemetryWriter', new ReviewerTelemetryWriter(join(place, 'grouped.ndjson'))],
]);

/** Each appender appends its next event when the last is on disk. Returns events per second and each append's ms. */
async function measure(writer, appenders, events) {
  const times = [];
  let seq = 1;
  const begin = performance.now();
  const appender = async () => {
    while (seq <= events) {
      const since = performance.now();
      await writer.append(eventOf(seq++));
      times.push(performance.now() - since);
    }
  };
  await Promise.all(Array.from({ length: appenders }, appender));
  return { perSecond: (1000 * events) / (performance.now() - begin), times };
}

for (const [appenders, events, rounds] of [
  [1, 100, 30],
  [64, 640, 15],
]) {
  const results = new Map([...writers.keys()].map((name) => [name, { rates: [], times: [] }]));
  for (let round = 0; round < rounds; round += 1) {
    // Each writer is first equally often.
    const turn = round % 2 === 0 ? [...writers] : [...writers].reverse();
    for (const [name, writer] of turn) {
      const { perSecond, times } = await measure(writer, appenders, events);
      results.get(name).rates.push(perSecond);
      results.get(name).times.push(...times);
    }
  }
  console.log(`${appenders} concurrent, ${rounds} rounds of ${events} events in turn`);
  for (const [name, { rates, times }] of results) {
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(times, share).toFixed(2));
    const rate = median(rates).toFixed(0).padStart(7);
    console.log(`  ${name.padEnd(24)} ${rate} events/s   an append p50 ${p50} ms, p99 ${p99} ms`);
  }
  const [base, grouped] = [...results.values()].map(({ rates }) => rates);
  const ratios = grouped.map((rate, round) => rate / base[round]);
  console.log(`  median of the rounds' ratios: ${median(ratios).toFixed(2)}`);
}
await handle.close();

const large = join(place, 'large.ndjson');
const fd = openSync(large, 'w');
const bytes = Number(megabytes) * 1024 * 1024;
let seq = 1;
for (let written = 0; written < bytes; ) {
  let text = '';
  while (text.length < 1024 * 1024) text += `${JSON.stringify(eventOf(seq++))}\n`;
  written += writeSync(fd, text);
}
closeSync(fd);
const reader = `
  import { readReviewerProjectionEvents } from 'episcope';
  const begin = performance.now();
  const { events, latestSeq } = await readReviewerProjectionEvents(process.argv[1], { prNumber: 7 });
  const seconds = (performance.now() - begin) / 1000;
  const rss = process.resourceUsage().maxRSS / 1024;
  console.log('  ' + seconds.toFixed(1) + ' s, at most ' + rss.toFixed(0) + ' MiB of memory (RSS); ' +
    events.length + ' events kept, latest seq ' + latestSeq);`;
console.log(`reading ${megabytes} MiB, ${seq - 1} events`);
const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', reader, large], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
