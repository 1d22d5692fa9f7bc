import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { alteredArguments, alteredVariables } from '../../src/cli/undecodable.js';
import { CLI, INSTALLS } from '../support/cli.js';

const proc = mkdtempSync(join(tmpdir(), 'episcope-undecodable-'));
afterAll(() => rmSync(proc, { recursive: true }));
mkdirSync(join(proc, 'self'));

function procWith(file: string, ...parts: (string | Buffer)[]): string {
  const bytes = parts.flatMap((part) => [Buffer.from(part as string), Buffer.of(0)]);
  writeFileSync(join(proc, 'self', file), Buffer.concat(bytes));
  return proc;
}

const LATIN1 = Buffer.from('caf\xe9', 'latin1');

test('an argument whose bytes are no UTF-8 is found, one that holds U+FFFD itself is not', () => {
  const root = procWith('cmdline', 'node', 'main.js', 'é\uFFFD', LATIN1, '');
  expect(alteredArguments(['é\uFFFD', 'caf\uFFFD', ''], root)).toEqual([1]);
  expect(alteredArguments([], root)).toEqual([]);
  expect(alteredArguments(['\uFFFD', 'x'], '/nowhere')).toEqual([0]);
});

test('so is a variable, by its name', () => {
  const root = procWith('environ', 'A=1', Buffer.concat([Buffer.from('B='), LATIN1]), 'C=\uFFFD');
  expect(alteredVariables(root)).toEqual(['B']);
  expect(alteredVariables('/nowhere')).toEqual([]);
});

/** By a shell: Node passes on text only. */
function shell(script: string, env: Readonly<Record<string, string>>) {
  return spawnSync('/bin/sh', ['-c', script, 'sh', process.execPath, CLI], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    encoding: 'utf8',
  });
}

test.each(INSTALLS)('an argument that would be altered runs nothing, $name', ({ env }) => {
  const marker = join(proc, 'ran');
  for (const where of ['touch "$M" "$B"', `--json "$B" touch "$M"`]) {
    const script = `M='${marker}' B=$(printf '/tmp/caf\\351'); "$1" "$2" run --quiet ${where}`;
    const { status, stderr } = shell(script, env);
    expect(status).toBe(125);
    expect(stderr).toBe(
      'episcope: "/tmp/caf\uFFFD" is not UTF-8 as it was given, and would be altered; nothing was run\n',
    );
    expect(() => execFileSync('ls', [marker], { stdio: 'ignore' })).toThrow();
  }
});

test.each(INSTALLS)('a variable that is altered is told, $name', ({ env }) => {
  const script = `export NAME_OF_IT=$(printf 'caf\\351'); "$1" "$2" run --quiet true`;
  const { status, stderr } = shell(script, env);
  expect(status).toBe(0);
  expect(stderr).toContain('not UTF-8, so that the command gets it altered: $NAME_OF_IT\n');
});
