/**
 * Writes a reviewer log in a process of its own, that its test may kill or limit. Arguments: task, engine, path,
 * further ones. What was acknowledged is a line of stdout.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { ReviewerTelemetryWriter } from '../../dist/reviewer/writer.js';

const [task, engine, path, ...rest] = process.argv.slice(2);

const writerOf = (options = {}, at = path) =>
  new ReviewerTelemetryWriter(at, { singleProcess: true, ...options }, engine);

function eventOf(seq, bytes = 0) {
  return {
    ts: '2026-11-26T07:00:00Z',
    event: 'run_start',
    review_type: 'security',
    pr_number: 7,
    head_sha: 'abc123',
    seq,
    ...(bytes > 0 ? { detail: 'x'.repeat(bytes) } : {}),
  };
}

/** Not `console.log`: what was said is out when this returns. */
const say = (line) => writeSync(1, `${line}\n`);

const outcome = (append) =>
  append.then(
    () => 'written',
    ({ code, errno }) => `${code} ${errno}`,
  );

const tasks = {
  /** Appends `count` events from `first` on, `width` at a time, says each that is on disk, and waits to be killed. */
  async killed() {
    const [rotateBytes, first, count, width] = rest.map(Number);
    const writer = writerOf({ rotateBytes });
    let seq = first;
    const appender = async () => {
      while (seq < first + count) {
        const own = seq++;
        await writer.append(eventOf(own));
        say(own);
      }
    };
    setInterval(() => {}, 2 ** 30);
    await Promise.all(Array.from({ length: width }, appender));
  },

  /** Appends a run of events of a process among others, all at once. */
  async share() {
    const [rotateBytes, first, count] = rest.map(Number);
    const writer = writerOf({ rotateBytes });
    await Promise.all(
      Array.from({ length: count }, (_, index) => writer.append(eventOf(first + index))),
    );
  },

  /** Waits for nothing itself. */
  async unawaited() {
    const writer = writerOf();
    for (let seq = 1; seq <= 20; seq += 1) void writer.append(eventOf(seq));
  },

  /** A file may not grow beyond what it has and half a line. */
  async limited() {
    const writer = writerOf();
    await writer.append(eventOf(1));
    const { size } = statSync(path);
    limit(size * 2 + size / 2);
    const appends = [2, 3, 4].map((seq) => outcome(writer.append(eventOf(seq))));
    for (const end of await Promise.all(appends)) say(end);
    limit('unlimited');
    say(await outcome(writer.append(eventOf(5))));
  },

  /** `path` is on a small file system of its own. */
  async full() {
    const writer = writerOf();
    say(await outcome(writer.append(eventOf(1))));
    const appends = [2, 3, 4].map((seq) => outcome(writer.append(eventOf(seq, 30_000))));
    for (const end of await Promise.all(appends)) say(end);
    const filler = `${path}.filler`;
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(4096), { flag: 'a' });
    } catch {
      // Full by now.
    }
    say(await outcome(writer.append(eventOf(5, 10_000))));
    rmSync(filler);
    say(await outcome(writer.append(eventOf(6))));
    process.stdout.write(execFileSync('cat', [path]));
  },

  /** With fsync of directories failing with each of these numbers (`failing-dirsync`), and then no more. */
  async dirsync() {
    for (const errno of rest) {
      const writer = writerOf({ rotateBytes: 1 }, `${path}/${errno}/log.ndjson`);
      process.env.DIRSYNC_ERRNO = errno;
      const ends = [];
      for (const seq of [1, 2]) ends.push(await outcome(writer.append(eventOf(seq))));
      delete process.env.DIRSYNC_ERRNO;
      ends.push(await outcome(writer.append(eventOf(3))));
      say(JSON.stringify(ends));
    }
  },

  /** As somebody who may not list the directories that `path` is in. */
  async unlisted() {
    const writer = writerOf({ rotateBytes: 1 });
    process.setgid(65534);
    process.setuid(65534);
    for (const seq of [1, 2, 3]) say(await outcome(writer.append(eventOf(seq))));
  },

  /** `path` is on a file system that may only be read. */
  async readOnly() {
    say(await outcome(writerOf().append(eventOf(1))));
  },
};

function limit(bytes) {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
}

process.on('SIGXFSZ', () => {});
await tasks[task]();
