/** The command, or somebody else, removes, renames, replaces or writes to `--json` and `--record` while it runs. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRecording } from '../../src/recorder/index.js';
import { CLI, cli, INSTALLS } from '../support/cli.js';
import { linesOfCommand } from '../support/lines-of-command.js';
import { scratch } from '../support/scratch.js';

const directory = scratch();
let places = 0;
function newPath(): string {
  const own = join(directory, `place-${places++}`);
  mkdirSync(own);
  return join(own, 'output');
}
const jsonOf = (text: string) => JSON.parse(text) as { schema: string; exit_code: number };
const summary = { schema: 'episcope.summary.v1', exit_code: 0 };

describe.each(INSTALLS)('$name, --json', ({ env }) => {
  const run = async (path: string, script: string) => {
    const told = ['run', '--quiet', '--tier', 'proc', '--json', path];
    const { code, stderr } = await cli([...told, 'sh', '-c', script, path], { env });
    expect(code).toBe(0);
    return stderr;
  };

  test.each([
    ['removed', 'rm "$0"', 'removed'],
    ['removed with its directory', 'rm -r "$(dirname "$0")"', 'removed'],
    ['renamed', 'mv "$0" "$0.x"', 'renamed'],
    ['renamed, an empty one made', 'mv "$0" "$0.x" && : >"$0"', 'renamed'],
  ])('that was %s is written anew', async (_what, script, was) => {
    const path = newPath();
    expect(await run(path, script)).toBe(
      `episcope: --json ${path} was ${was} by somebody else; it is written anew\n`,
    );
    expect(jsonOf(readFileSync(path, 'utf8'))).toMatchObject(summary);
  });

  test.each([
    ['another file', 'printf precious >"$0.x" && mv "$0.x" "$0"'],
    ['a link', 'printf precious >"$0.x" && ln -sf "$0.x" "$0"'],
    ['a link to nothing', 'ln -sf "$0.y" "$0"'],
    ['a directory', 'rm "$0" && mkdir "$0"'],
    ['a FIFO', 'rm "$0" && mkfifo "$0"'],
  ])('that was replaced by %s is not written', async (_what, script) => {
    const path = newPath();
    expect(await run(path, script)).toBe(
      `episcope: --json ${path} is incomplete: it cannot be written (EEXIST)\n`,
    );
    if (script.includes('precious')) expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(existsSync(`${path}.y`)).toBe(false);
  });

  test('that was written to is not written over', async () => {
    const path = newPath();
    expect(await run(path, 'echo precious >>"$0"')).toBe(
      `episcope: --json ${path} begins with what somebody else wrote meanwhile\n`,
    );
    const [first, ...rest] = readFileSync(path, 'utf8').split('\n');
    expect(first).toBe('precious');
    expect(jsonOf(rest.join('\n'))).toMatchObject(summary);
  });

  test('that is truncated has no NULs', async () => {
    const path = newPath();
    expect(await run(path, 'echo x >>"$0"; : >"$0"')).toBe('');
    expect(jsonOf(readFileSync(path, 'utf8'))).toMatchObject(summary);
  });
});

test.each(['/dev/stdout', '/proc/self/fd/1'])(
  '%s that is a file keeps what it has',
  async (stream) => {
    const path = newPath();
    writeFileSync(path, 'before\n');
    const command = `exec "$0" "$1" run --quiet --tier proc --json ${stream} echo within >>"$2"`;
    await linesOfCommand(['sh', '-c', command, process.execPath, CLI, path]);
    const [before, within, ...rest] = readFileSync(path, 'utf8').split('\n');
    expect([before, within]).toEqual(['before', 'within']);
    expect(jsonOf(rest.join('\n'))).toMatchObject(summary);
  },
);

describe.each(INSTALLS)('$name, --record', ({ env }) => {
  test.each([
    ['emptied', ': >"$0"'],
    ['removed', 'rm "$0"'],
    ['renamed', 'mv "$0" "$0.x"'],
    ['removed', 'rm -r "$(dirname "$0")"'],
  ])('that was %s (%s) goes on as a whole recording', async (was, script) => {
    const path = newPath();
    const isThere = 'until [ -s "$0" ]; do sleep 0.01; done';
    const { code, stderr } = await cli(
      ['run', '--quiet', '--tier', 'proc', '--period', '20', '--record', path].concat([
        'sh',
        '-c',
        `${isThere}; ${script}; ${isThere}`,
        path,
      ]),
      { env },
    );
    expect(code).toBe(0);
    expect(stderr).toBe(
      `episcope: --record: ${path} was ${was} by somebody else; the recording goes on with a new header\n`,
    );
    expect(readFileSync(path).includes(0)).toBe(false);
    const recording = readRecording(path);
    let read = 0;
    for await (const _frame of recording) read += 1;
    expect(recording.end?.framesCollected).toBe(read + recording.missed);
    expect(existsSync(dirname(path))).toBe(true);
  });
});
