/**
 * Records in a process of its own, that its test may kill, limit or drop the user id of. What it did is one line of
 * JSON each on stdout.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { TelemetryFrame } from '../../dist/frame/index.js';
import { TelemetryPolicy } from '../../dist/policy/index.js';
import { FrameRecorder } from '../../dist/recorder/index.js';

const [task, path, ...rest] = process.argv.slice(2);

const start = {
  kind: 'start',
  episodeId: 'job',
  pid: process.pid,
  startedAt: new Date(),
  startMonoNs: process.hrtime.bigint(),
  engine: 'js',
  tier: 'auto',
  cgroupPath: null,
  policy: new TelemetryPolicy(),
  budget: null,
  baseline: 'zero',
  onExhausted: 'stop',
};

/** Values that differ from frame to frame, and that the test can compute. */
function frame(seq) {
  return TelemetryFrame.builder('job', BigInt(seq))
    .tsMono(BigInt(seq) * 1000n)
    .cpuNs(BigInt(seq) * 7n + 3n)
    .cpuUserNs(BigInt(seq) * 7n)
    .memRssBytes(4096)
    .memPeakBytes(8192)
    .build();
}

function frames(first, count) {
  const list = Array.from({ length: count }, (_, index) => frame(first + index));
  return {
    kind: 'frames',
    episodeId: 'job',
    trigger: 'periodic',
    reason: null,
    frames: list,
    missed: 0,
  };
}

const end = () => ({
  kind: 'end',
  episodeId: 'job',
  reason: 'stop',
  frame: frame(1_000_000),
  wallNs: 1n,
  framesCollected: 0,
  framesPromoted: 0,
  exhausted: null,
});

function tell(value) {
  writeSync(1, `${JSON.stringify(value)}\n`);
}

async function told(doing, promise) {
  try {
    await promise;
    tell({ doing, error: null });
  } catch ({ code, errno, file }) {
    tell({ doing, error: { code, errno, file } });
  }
}

const tasks = {
  /** Records until it is killed; tells the last frame of each entry that was written. */
  async endless(rotateBytes, keepFiles) {
    const recorder = new FrameRecorder(path, {
      rotateBytes: Number(rotateBytes),
      keepFiles: Number(keepFiles),
    });
    await recorder.write(start);
    for (let seq = 0; ; seq += 3) {
      await recorder.write(frames(seq, 3));
      writeSync(1, `${seq + 2}\n`);
    }
  },

  /** Records beyond what its files may be, then has that lifted, and goes on. */
  async limited() {
    const recorder = new FrameRecorder(path);
    await recorder.write(start);
    await told('within', recorder.write(frames(0, 2)));
    limit('10000');
    await told('beyond', recorder.write(frames(2, 30)));
    await told('still', recorder.write(frames(32, 1)));
    limit('unlimited');
    await told('lifted', recorder.write(frames(33, 2)));
    await told('end', recorder.write(end()));
  },

  /** Fills a file system of its own, frees it, and goes on. */
  async full() {
    const filler = `${path}.filler`;
    const recorder = new FrameRecorder(path);
    await recorder.write(start);
    await told('within', recorder.write(frames(0, 2)));
    fill(filler);
    await told('full', recorder.write(frames(2, 30)));
    await told('still', recorder.write(frames(32, 1)));
    rmSync(filler);
    await told('freed', recorder.write(frames(33, 2)));
    await told('end', recorder.write(end()));
    process.stdout.write(execFileSync('cat', [path]));
  },

  /** The file system is full at the start. */
  async fullAtStart() {
    const filler = `${path}.filler`;
    writeFileSync(path, 'precious');
    fill(filler);
    const recorder = new FrameRecorder(path);
    await told('start', recorder.write(start));
    await told('frames', recorder.write(frames(0, 2)));
    rmSync(filler);
    await told('freed', recorder.write(frames(2, 2)));
    await told('end', recorder.write(end()));
    tell(execFileSync('cat', [`${path}.1`], { encoding: 'utf8' }));
    process.stdout.write(execFileSync('cat', [path]));
  },

  /** As somebody who may write in no directory of the test. */
  async denied(...commands) {
    process.setgid(65534);
    process.setuid(65534);
    const recorder = new FrameRecorder(path);
    await told('start', recorder.write(start));
    await told('frames', recorder.write(frames(0, 2)));
    for (const command of commands) await nextLine(command);
    await told('later', recorder.write(frames(2, 2)));
    await told('end', recorder.write(end()));
  },

  /** Records a short session. */
  async session(count) {
    const recorder = new FrameRecorder(path);
    await told('start', recorder.write(start));
    await told('frames', recorder.write(frames(0, Number(count))));
    await told('end', recorder.write(end()));
  },
};

function limit(bytes) {
  // The soft limit: that is what counts, and what may be raised again.
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
}

function fill(path) {
  try {
    for (;;) writeFileSync(path, 'x'.repeat(512), { flag: 'a' });
  } catch (cause) {
    if (cause.code !== 'ENOSPC') throw cause;
  }
}

/** Tells that it waits, and reads a line of stdin. */
function nextLine(doing) {
  tell({ doing, error: null });
  return new Promise((resolve) => process.stdin.once('data', resolve).resume());
}

await tasks[task](...rest);
process.stdin.unref?.();
