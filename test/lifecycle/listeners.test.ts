import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ENGINES } from '../support/engines.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a script prints that plays with a session, in a process of its own: a crash is that process's. */
const play = async (
  engine: string,
  script: string,
  flags: readonly string[] = [],
): Promise<string> => {
  const source = `
    import { TelemetryCollector, TelemetryPolicy } from 'episcope';
    const policy = TelemetryPolicy.builder().samplePeriodMs(1).build();
    const collector = new TelemetryCollector(policy, { engine: '${engine}' });
    ${script}`;
  const args = [...flags, '--input-type=module', '--eval', source];
  return (await run(process.execPath, args, { cwd: root })).stdout;
};

it.each(ENGINES)(
  'a listener that throws is an uncaught exception, and the session still ends, engine %s',
  async (engine) => {
    const stdout = await play(
      engine,
      `process.on('uncaughtException', (error) => console.log(error.message));
     const handle = collector.start('listener', process.pid);
     handle.on('stopped', () => { throw new Error('mine'); });
     handle.on('stopped', () => console.log('unreached: the emitter stops at the first'));
     const frames = await handle.stop();
     console.log(frames.at(-1).o11yFlags.terminal);`,
    );
    expect(stdout.split('\n').sort()).toEqual(['', 'mine', 'true']);
  },
);

it.each(ENGINES)(
  'stop() in the turn of start(), with a warning on its way, is no crash, engine %s',
  async (engine) => {
    const stdout = await play(
      engine,
      `import { mkdtempSync, writeFileSync, rmSync } from 'node:fs';
     const path = mkdtempSync('/tmp/episcope-turn-');
     writeFileSync(path + '/cpu.stat', 'garbage');
     const fixtures = new TelemetryCollector(policy, { engine: '${engine}', requireCgroupfs: false });
     const handle = fixtures.start('turn', process.pid, { cgroupPath: path, tier: 'cgroup' });
     const frames = await handle.stop();
     await new Promise((resolve) => setImmediate(resolve));
     rmSync(path, { recursive: true });
     console.log(frames.filter((frame) => frame.o11yFlags.terminal).length);`,
    );
    expect(stdout).toBe('1\n');
  },
);

it.each(ENGINES)('a running handle keeps no process alive, engine %s', async (engine) => {
  expect(await play(engine, `collector.start('idle', process.pid); console.log('end');`)).toBe(
    'end\n',
  );
});

it.each(ENGINES)(
  'a stop() keeps the process alive until its terminal frame is there, engine %s',
  async (engine) => {
    const stdout = await play(
      engine,
      `const handle = collector.start('stop', process.pid);
       handle.stop().then((frames) => console.log(frames.at(-1).o11yFlags.terminal));`,
    );
    expect(stdout).toBe('true\n');
  },
);

it.each(ENGINES)(
  'a sampleNow() keeps the process alive until it is answered, and no longer, engine %s',
  async (engine) => {
    const stdout = await play(
      engine,
      `const handle = collector.start('now', process.pid);
       handle.sampleNow().then((frame) => console.log(frame.episodeId));`,
    );
    expect(stdout).toBe('now\n');
  },
);

it.each(ENGINES)(
  'a running session is held, its listeners too, when nobody holds the handle, engine %s',
  async (engine) => {
    const stdout = await play(
      engine,
      `import { spawn } from 'node:child_process';
       const child = spawn('sleep', ['1000']);
       collector.start('held', child.pid).on('exit', ({ frame }) => {
         console.log(frame.o11yFlags.terminal);
         clearInterval(alive);
       });
       const alive = setInterval(() => globalThis.gc(), 1);
       child.kill('SIGKILL');`,
      ['--expose-gc'],
    );
    expect(stdout).toBe('true\n');
  },
);

it.each(ENGINES)('a session that has ended can be collected, engine %s', async (engine) => {
  const stdout = await play(
    engine,
    `const weak = new WeakRef(collector.start('ended', process.pid));
     await weak.deref().stop();
     while (weak.deref() !== undefined) {
       await new Promise((resolve) => setTimeout(resolve, 1));
       globalThis.gc();
     }
     console.log('collected');`,
    ['--expose-gc'],
  );
  expect(stdout).toBe('collected\n');
});
