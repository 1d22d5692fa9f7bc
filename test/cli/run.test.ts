import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TelemetryFrame } from '../../src/frame/index.js';
import { findCgroup2Mount } from '../../src/host/index.js';
import { readRecording } from '../../src/recorder/index.js';
import { alive, cli, INSTALLS, measure, tempFile, until } from '../support/cli.js';

const version = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const slice = `${findCgroup2Mount()}/episcope.slice`;

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'episcope-run-'));
  writeFileSync(join(directory, 'plain'), 'no program');
  writeFileSync(join(directory, 'orphaned'), '#!/no/such/interpreter\n');
  chmodSync(join(directory, 'orphaned'), 0o755);
});
afterAll(() => rmSync(directory, { recursive: true }));

let ids = 0;
function newId(): string {
  ids += 1;
  return `run-test-${process.pid}-${ids}`;
}

/** What is in the slice of an episode: its scope, its marker. */
function leftovers(id: string): string[] {
  return existsSync(slice) ? readdirSync(slice).filter((name) => name.includes(id)) : [];
}

describe('the command line', () => {
  test.each([[['--help']], [['run', '--help']], [['doctor', '--help']]])(
    '%j explains itself on stdout',
    async (argv) => {
      const { code, stdout, stderr } = await cli(argv);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(String(stdout)).toMatch(/^Usage:/m);
    },
  );

  test('--version', async () => {
    expect(String((await cli(['--version'])).stdout)).toBe(`${version.version}\n`);
  });

  test.each([
    [['run', '--bogus', 'x'], 'unknown option --bogus; "episcope run --help" lists the options'],
    [['run'], 'nothing to run: episcope run [options] -- command [argument…]'],
    [['doctor', '-x'], 'unknown option -x; "episcope doctor --help" lists the options'],
    [['doctor', 'x'], 'doctor takes no arguments, got "x"'],
    [['--bogus'], 'unknown option --bogus; "episcope --help" lists what there is'],
    [['rum'], 'unknown command rum; "episcope --help" lists what there is'],
  ])('%j is exit status 2 and one line', async (argv, line) => {
    const { code, stdout, stderr } = await cli(argv);
    expect({ code, stdout: String(stdout), stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `episcope: ${line}\n`,
    });
  });

  test('without anything it shows the help on stderr', async () => {
    const { code, stderr } = await cli([]);
    expect(code).toBe(2);
    expect(stderr).toContain('episcope run');
  });
});

describe.each(INSTALLS)('episcope run, $name', ({ name, env }) => {
  const native = name === 'with the addon';

  test('passes bytes through untouched, both ways', async () => {
    const input = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7919) % 256));
    const { code, stdout, stderr } = await cli(['run', '--quiet', '--', 'cat'], { env, input });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.equals(input)).toBe(true);
  });

  test('passes the exit status', async () => {
    expect((await cli(['run', '--quiet', 'sh', '-c', 'exit 41'], { env })).code).toBe(41);
  });

  test('turns the signal that ended it into 128+n, and names it', async () => {
    const { code, stderr, summary } = await measure(['sh', '-c', 'kill -KILL $$'], { env });
    expect(code).toBe(137);
    expect(stderr).toContain('ended by SIGKILL');
    expect(summary).toMatchObject({ exit_code: null, signal: 'SIGKILL' });
  });

  // Without the addon Node's word is all there is, and it says 0.
  test
    .runIf(native)
    .each(['native', 'js'].flatMap((engine) => ['auto', 'proc'].map((tier) => [engine, tier])))(
    'a real-time signal is one too (--engine %s, --tier %s)',
    async (engine, tier) => {
      for (const [number, name] of [
        [34, 'SIGRTMIN (34)'],
        [64, 'SIGRTMIN+30 (64)'],
      ] as const) {
        const command = ['bash', '-c', `kill -${number} $$`];
        const options = ['--engine', engine, '--tier', tier];
        const { code, stderr, summary } = await measure([...options, ...command], { env });
        expect(code).toBe(128 + number);
        expect(stderr).toContain(`ended by ${name} after`);
        expect(summary).toMatchObject({ exit_code: null, signal: name });
      }
    },
  );

  test.each(['auto', 'proc'])(
    'of a command that does not exist: 127, one line, nothing left (--tier %s)',
    async (tier) => {
      for (const command of ['episcope-no-such-command', './none', '']) {
        const id = newId();
        const { code, stdout, stderr } = await cli(
          ['run', '--tier', tier, '--id', id, '--', command],
          { env },
        );
        expect({ code, stdout: String(stdout), stderr }).toEqual({
          code: 127,
          stdout: '',
          stderr: `episcope: cannot run ${command || '""'}: no such command\n`,
        });
        expect(leftovers(id)).toEqual([]);
      }
    },
  );

  test('of a command that cannot be run: 126 and one line', async () => {
    const file = join(directory, 'plain');
    const { code, stderr } = await cli(['run', '--', file], { env });
    expect({ code, stderr }).toEqual({
      code: 126,
      stderr: `episcope: cannot run ${file} (EACCES)\n`,
    });
  });

  test('writes a summary of 127 too', async () => {
    const { summary } = await measure(['--', 'episcope-no-such-command'], { env });
    expect(summary).toMatchObject({ exit_code: 127, command: ['episcope-no-such-command'] });
  });

  test('leaves nothing behind: no scope, no marker, no daemon', async () => {
    const id = newId();
    const script = '(setsid sleep 600 & echo $!); mkdir "$1/inner" 2>/dev/null; :';
    const scope = `${slice}/episode-${id}.scope`;
    const { code, stdout } = await cli(
      ['run', '--quiet', '--id', id, '--', 'sh', '-c', script, 'sh', scope],
      { env },
    );
    expect(code).toBe(0);
    expect(alive(Number(String(stdout)))).toBe(false);
    expect(leftovers(id)).toEqual([]);
  });

  test('says on stderr what was consumed, by which engine, and why it is degraded', async () => {
    const { stderr, stdout, summary } = await measure(['--period', '10', 'echo', 'hello'], { env });
    expect(String(stdout)).toBe('hello\n');
    expect(stderr).toMatch(/^episcope echo-\d+-\d+: exit status 0 after /);
    expect(stderr).toContain(native ? '(native engine)' : '(js engine)');
    // No colours where nobody would see them.
    expect(stderr).not.toContain('\x1b');
    const { cpu, memory, io } = summary.sources;
    const full = [cpu, memory, io].every((source) => source === 'cgroup');
    if (full) expect(summary.degraded_reason).toBeNull();
    else expect(stderr).toContain(`  degraded   ${summary.degraded_reason}\n`);
    if (!full && !native) expect(summary.degraded_reason).toContain('no subreaper');
  });

  test('--record has every frame once, the first initial, the last terminal', async () => {
    const file = tempFile('frames.ndjson');
    writeFileSync(file, 'what stood there before');
    const { summary } = await measure(['--period', '5', '--record', file, 'sleep', '0.3'], { env });
    const recording = readRecording(file);
    const frames: TelemetryFrame[] = [];
    for await (const frame of recording) frames.push(frame);
    rmSync(file);
    expect(existsSync(`${file}.1`)).toBe(false);
    expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, index) => index));
    expect(frames).toHaveLength(summary.frames);
    expect(frames.map(({ o11yFlags }) => o11yFlags.initial).indexOf(true)).toBe(0);
    const terminal = frames.map(({ o11yFlags }) => o11yFlags.terminal).indexOf(true);
    expect(terminal).toBe(frames.length - 1);
    expect(frames.at(-1)).toMatchObject({
      episodeId: summary.episode_id,
      cpuNs: summary.cpu_ns,
    });
    expect(recording.header).toMatchObject({ episodeId: summary.episode_id, budget: null });
    expect(recording.end).toMatchObject({ totals: { cpuNs: summary.cpu_ns }, exhausted: null });
    expect(recording.missed).toBe(0);
  });
});

describe('episcope run', () => {
  test('--quiet says nothing, --json says it all', async () => {
    const { stderr, summary } = await measure(['--quiet', '--id', 'quiet-one', '--', 'true']);
    expect(stderr).toBe('');
    expect(summary).toMatchObject({
      schema: 'episcope.summary.v1',
      episode_id: 'quiet-one',
      command: ['true'],
      exit_code: 0,
      signal: null,
      exhausted: null,
    });
  });

  test('--engine js works beside the addon, --engine native is refused without it', async () => {
    expect((await measure(['--engine', 'js', 'true'])).summary.engine).toBe('js');
    const marker = tempFile('ran');
    const { code, stderr } = await cli(['run', '--engine', 'native', 'touch', marker], {
      env: { NODE_OPTIONS: '--no-addons' },
    });
    expect(code).toBe(125);
    expect(stderr).toMatch(
      /^episcope: --engine native is not possible here: .*; use --engine js .*\n$/,
    );
    expect(existsSync(marker)).toBe(false);
  });

  test('a tier that this host cannot give is refused before anything runs, with what to use', async () => {
    const { tier } = JSON.parse(String((await cli(['doctor', '--json'])).stdout));
    if (tier === 'cgroup') return console.log('this host gives every tier: nothing to refuse');
    const marker = tempFile('ran');
    const { code, stderr } = await cli(['run', '--tier', 'cgroup', 'touch', marker]);
    expect(code).toBe(125);
    expect(stderr).toMatch(
      /^episcope: --tier cgroup is not possible here: .*; use .*--tier proc.*\n$/,
    );
    expect(existsSync(marker)).toBe(false);
  });

  test('a maker of scopes that is not there is no reason to do without a scope', async () => {
    if (existsSync('/run/systemd/system')) return console.log('systemd is here: nothing to refuse');
    const marker = tempFile('ran');
    const { code, stderr } = await cli(['run', '--scope', 'systemd', 'touch', marker]);
    expect(code).toBe(125);
    expect(stderr).toMatch(
      /^episcope: --scope systemd is not possible here: .*; nothing was run\n$/,
    );
    expect(existsSync(marker)).toBe(false);
  });

  test('a file that cannot be written is told before anything runs', async () => {
    const marker = tempFile('ran');
    for (const option of ['--json', '--record']) {
      const { code, stderr } = await cli(['run', option, '/no/such/dir/f', 'touch', marker]);
      expect(code).toBe(125);
      expect(stderr).toBe(
        `episcope: ${option} /no/such/dir/f cannot be written (ENOENT); nothing was run\n`,
      );
    }
    expect(existsSync(marker)).toBe(false);
  });

  test('nothing is emptied before all can be written, and one file is not two', async () => {
    const kept = join(directory, 'kept');
    writeFileSync(kept, 'kept');
    const refused = await cli(['run', '--json', kept, '--record', '/no/such/dir/f', 'true']);
    expect(refused.code).toBe(125);
    const twice = await cli(['run', '--json', kept, '--record', `${directory}/./kept`, 'true']);
    expect(twice.stderr).toBe('episcope: --json and --record are one file: give each its own\n');
    expect(twice.code).toBe(2);
    expect(readFileSync(kept, 'utf8')).toBe('kept');
  });

  test('a FIFO that nobody reads is told at once', async () => {
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const { code, stderr } = await cli(['run', '--json', fifo, 'true']);
    expect(code).toBe(125);
    expect(stderr).toBe(`episcope: --json ${fifo} cannot be written (ENXIO); nothing was run\n`);
  });

  test('a hostile name stays one plain line', async () => {
    const { code, stderr } = await cli(['run', '--', './no\nsuch\u001b[31m']);
    expect(code).toBe(127);
    expect(stderr).toBe('episcope: cannot run "./no\\nsuch\\u001b[31m": no such command\n');
  });

  test('a full disk under --record is told once, the command goes on', async () => {
    const { code, stderr } = await cli([
      'run',
      '--quiet',
      '--period',
      '1',
      '--record',
      '/dev/full',
      'sleep',
      '0.7',
    ]);
    expect(code).toBe(0);
    expect(stderr).toBe(
      'episcope: --record /dev/full is incomplete: it cannot be written (ENOSPC)\n',
    );
  });

  test('a script whose interpreter is missing is told as such', async () => {
    const file = join(directory, 'orphaned');
    const { code, stderr } = await cli(['run', '--', file]);
    expect({ code, stderr }).toEqual({
      code: 127,
      stderr: `episcope: cannot run ${file}: the interpreter that its first line names does not exist\n`,
    });
  });

  test('daemonized leftovers die also where there is no cgroup to kill', async () => {
    const { code, stdout } = await cli([
      'run',
      '--quiet',
      '--tier',
      'proc',
      'sh',
      '-c',
      '(setsid sleep 600 & echo $!)',
    ]);
    expect(code).toBe(0);
    const pid = Number(String(stdout));
    expect(pid).toBeGreaterThan(0);
    await until('the daemon to be gone', () => !alive(pid));
  });
});
