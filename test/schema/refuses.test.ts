/** The schema refuses what could not be generated rightly, on copies with one thing changed. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let copy: string;

beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), 'episcope-schema-'));
  await cp(join(root, 'schema'), join(copy, 'schema'), { recursive: true });
  for (const folder of ['native/core', 'src/schema', 'docs']) {
    await mkdir(join(copy, folder), { recursive: true });
  }
  await cp(join(root, 'docs/numbers.md'), join(copy, 'docs/numbers.md'));
});

afterEach(() => rm(copy, { recursive: true }));

/** Runs the generator in the copy, whose `file` has `to` where `from` stood. */
async function generate(file: string, from: string | RegExp, to: string): Promise<void> {
  const path = join(copy, 'schema', file);
  const text = await readFile(path, 'utf8');
  const changed = text.replace(from, () => to);
  expect(changed).not.toBe(text);
  await writeFile(path, changed);
  await promisify(execFile)(process.execPath, [join(copy, 'schema/generate.mjs')]);
}

/** Adds a metric at the end of the list: a good one, but for what `change` says. Its word is the last of a slot. */
function addMetric(change: string): Promise<void> {
  const row = `{
    name: 'madeUpBytes', key: 'made_up_bytes', part: 'memory', word: 47, unit: 'bytes', kind: 'gauge',
    file: 'made.up', fileKey: '', since: '0.0', doc: 'Made up.', ${change}
  }`;
  return generate('metrics.mjs', /\n\];\s*$/, `\n${row}];`);
}

describe('the generator refuses', () => {
  test.each([
    ['a word of another metric', 'word: 26', 'madeUpBytes|collectNs'],
    ['a word of the head', 'word: 3', 'madeUpBytes'],
    ['a word beyond the slot', 'word: 48', 'madeUpBytes'],
    ['the name of another metric', "name: 'cpuNs', unit: 'ns'", 'cpuNs'],
    ['the key of another metric', "key: 'cpu_ns'", 'madeUpBytes'],
    ['a name without its unit', "name: 'madeUp'", 'madeUp'],
    ['a unit that does not exist', "unit: 'pages'", 'madeUpBytes'],
    ['a part that does not exist', "part: 'swap'", 'madeUpBytes'],
    ['an eighth metric of the twelve-field form', 'wire: true', 'twelve-field form'],
  ])('%s', async (_what, change, named) => {
    await expect(addMetric(change)).rejects.toMatchObject({
      stderr: expect.stringMatching(new RegExp(`schema/metrics\\.mjs: .*(${named})`)),
    });
    await expect(readFile(join(copy, 'native/core/schema.h'))).rejects.toThrow('ENOENT');
  });

  test('slots that share a cache line', async () => {
    const refused = generate('ring.mjs', 'SLOT_BYTES: 384', 'SLOT_BYTES: 392');
    await expect(refused).rejects.toMatchObject({ stderr: expect.stringContaining('ring.mjs') });
  });

  test.each([
    ['bounds.mjs', "name: 'MAX_WARNINGS'", "name: 'MAX_TRIPWIRES'"],
    ['enumerations.mjs', "'ERR_PROC_GONE'", "'ERR_PROC_READ'"],
  ])('a name twice in %s', async (file, from, to) => {
    await expect(generate(file, from, to)).rejects.toMatchObject({
      stderr: expect.stringContaining(`schema/${file}`),
    });
  });
});

test('a metric beyond word 31 has its bit in the high half of the validity word', async () => {
  await addMetric('word: 40');
  const load = async (name: string) => {
    const source = await readFile(join(copy, `src/schema/${name}.ts`), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const path = join(copy, `src/schema/${name}.mjs`);
    await writeFile(path, outputText);
    return import(/* @vite-ignore */ pathToFileURL(path).href);
  };
  const { figuresOfWords } = await load('frame-values');
  const { PART_VALID } = await load('metrics');
  const { FRAME_WORDS } = await load('layout');
  expect(FRAME_WORDS).toBe(41);
  expect(PART_VALID.memory[1]).toBe(1 << 8);
  expect(PART_VALID.cpu[1]).toBe(0);

  const read = (_halves: Uint32Array, word: number) => word;
  const halves = new Uint32Array(2 * FRAME_WORDS);
  expect(figuresOfWords(halves, 0, 1 << 8, read)).toMatchObject({
    madeUpBytes: 40,
    memRssBytes: null,
  });
  // The same bit of the low half is another metric's.
  expect(figuresOfWords(halves, 1 << 8, 0, read)).toMatchObject({
    madeUpBytes: null,
    memRssBytes: 8,
  });

  const header = await readFile(join(copy, 'native/core/schema.h'), 'utf8');
  expect(header).toContain('kMadeUpBytes = 40;');
  expect(header).toContain('kFrameWords = 41;');
});
